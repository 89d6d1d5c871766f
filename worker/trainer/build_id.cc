#include "worker/trainer/build_id.h"

#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstring>
#include <string_view>

namespace sweep {
namespace {

constexpr std::string_view kOwner("GNU\0", 4);

// A note's parts are padded to whole words.
std::size_t Padded(std::size_t size) { return (size + 3) / 4 * 4; }

std::string Hexadecimal(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += kDigits[value >> 4];
    text += kDigits[value & 15];
  }
  return text;
}

std::string FindInNotes(std::string_view notes) {
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) head;
    std::memcpy(&head, notes.data(), sizeof(head));
    notes.remove_prefix(sizeof(head));
    if (notes.size() < Padded(head.n_namesz) + Padded(head.n_descsz)) return "";
    const std::string_view owner = notes.substr(0, head.n_namesz);
    if (head.n_type == NT_GNU_BUILD_ID && owner == kOwner) {
      return Hexadecimal(notes.substr(Padded(head.n_namesz), head.n_descsz));
    }
    notes.remove_prefix(Padded(head.n_namesz) + Padded(head.n_descsz));
  }
  return "";
}

// The program itself is the first of the objects.
int LookIn(dl_phdr_info* object, std::size_t /*size*/, void* found) {
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr) & header = object->dlpi_phdr[i];
    if (header.p_type != PT_NOTE) continue;
    // The loader has mapped it there.
    const auto* const notes = reinterpret_cast<const char*>(object->dlpi_addr + header.p_vaddr);
    const std::string id = FindInNotes({notes, header.p_memsz});
    if (id.empty()) continue;
    *static_cast<std::string*>(found) = id;
    break;
  }
  return 1;
}

}  // namespace

std::string BuildId() {
  std::string id;
  dl_iterate_phdr(LookIn, &id);
  return id;
}

}  // namespace sweep
