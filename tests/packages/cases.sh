# The cases of run.sh, which sources this. Each complains of what is wrong and goes on.

# refuses CODE TEXT COMMAND...: the command ends with that code and one line that has the text.
refuses() {
  local wanted=$1 text=$2 said code=0
  shift 2
  said=$("$@" 2>&1) || code=$?
  [ $code -eq "$wanted" ] || complain "'$*' ends with $code, not $wanted: $said"
  [[ $said == *"$text"* ]] || complain "'$*' says '$said', not '$text'"
  [ "$(wc -l <<< "$said")" -eq 1 ] || complain "'$*' says more than one line: $said"
}

case_errors() {
  refuses 2 "there is no kind of package 'rpm'; there are deb, tarball" deploy/package.sh deb rpm
  local copy=$work/copy tools=$work/tools tool
  mkdir -p "$copy/deploy" "$tools"
  cp CMakeLists.txt "$copy"
  cp deploy/package.sh "$copy/deploy"
  refuses 1 "there is no build in build/release; run deploy/build.sh first" "$copy/deploy/package.sh"
  mkdir -p "$copy/build/release/bin"
  touch "$copy/build/release/CMakeCache.txt"
  refuses 1 "there is no build/release/bin/sweep; run deploy/build.sh sweep first" \
    "$copy/deploy/package.sh" tarball
  printf '#!/bin/sh\necho 0.0.1\n' > "$copy/build/release/bin/sweep"
  chmod 755 "$copy/build/release/bin/sweep"
  refuses 1 "build/release/bin/sweep has version 0.0.1, not" "$copy/deploy/package.sh"
  for tool in bash env dirname cmake gzip objdump strip dpkg-query; do ln -s "$(command -v $tool)" "$tools"; done
  refuses 1 "cpack is missing; it is in Debian's package cmake" env PATH="$tools" deploy/package.sh
  ln -s "$(command -v cpack)" "$tools"
  refuses 1 "dpkg-shlibdeps is missing; it is in Debian's package dpkg-dev" \
    env PATH="$tools" deploy/package.sh deb
}

# deb_has PACKAGE PATH...: each is in the package.
deb_has() {
  local package=$1 path list
  shift
  list=$(dpkg-deb --fsys-tarfile "$packages/${package}"_*.deb | tar -t)
  for path in "$@"; do
    grep -qx "\./$path" <<< "$list" || complain "$package has no /$path"
  done
  path=$(grep -Ev '^\./(usr/|etc/(sweep/([a-z]*\.yaml)?)?$|lib/(systemd/(system/([a-z-]*\.service)?)?)?$|$)' \
    <<< "$list" || true)
  [ -z "$path" ] || complain "$package has files at odd places: $path"
}

complete_files() {
  echo "usr/share/man/man1/$1.1.gz usr/share/bash-completion/completions/$1" \
    "usr/share/zsh/vendor-completions/_$1 usr/share/fish/vendor_completions.d/$1.fish"
}

case_contents() {
  local package doc=usr/share/doc unpacked program
  # shellcheck disable=SC2046
  deb_has sweep-client usr/bin/sweep $(complete_files sweep) $doc/sweep-client/copyright \
    $doc/sweep-client/changelog.gz $doc/sweep/examples/quickstart.yaml $doc/sweep/docs/install.md \
    $doc/sweep-client/licences/libgrpc-dev $doc/sweep-client/licences/echarts/LICENSE
  # shellcheck disable=SC2046
  deb_has sweep-coordinator usr/bin/sweep-coordinator $(complete_files sweep-coordinator) \
    lib/systemd/system/sweep-coordinator.service etc/sweep/coordinator.yaml \
    $doc/sweep-coordinator/copyright $doc/sweep-coordinator/licences/preact/LICENSE
  # shellcheck disable=SC2046
  deb_has sweep-worker usr/bin/sweep-worker usr/bin/sweep-trainer $(complete_files sweep-worker) \
    usr/share/man/man1/sweep-trainer.1.gz usr/lib/sweep/libtorch_cpu.so \
    lib/systemd/system/sweep-worker.service etc/sweep/worker.yaml \
    $doc/sweep-worker/licences/libtorch/LICENSE $doc/sweep-worker/copyright
  for package in sweep-client sweep-coordinator sweep-worker; do
    unpacked=$work/contents/$package
    mkdir -p "$unpacked"
    dpkg-deb -R "$packages/${package}"_*.deb "$unpacked"
    check_control "$unpacked"
    check_files "$unpacked"
  done
  # Nothing but libtorch's own is a private copy.
  program=$(ls "$work/contents/sweep-worker/usr/lib/sweep" | grep -v '^lib\(torch\|c10\)' || true)
  [ -z "$program" ] || complain "/usr/lib/sweep has $program, which Debian has"
  check_lintian
}

# check_control FOLDER: dependencies, conffiles and scripts of an unpacked package.
check_control() {
  local control=$1/DEBIAN depends
  depends=$(sed -n 's/^Depends: //p' "$control/control")
  [[ $depends == *"libc6 (>= "* && $depends == *libssl3* ]] ||
    complain "$control: the dependencies are '$depends'"
  [[ $depends != *-dev* ]] || complain "$control depends on what builds need: $depends"
  if [ -d "$1/etc" ]; then
    (cd "$1" && find etc -type f -printf '/%p\n') | cmp -s - "$control/conffiles" ||
      complain "$control/conffiles does not list what is in /etc"
  fi
  ! grep -nE 'curl|wget|apt|pip|http' "$control"/{postinst,prerm,postrm} 2> /dev/null ||
    complain "a script of $control uses the network"
}

# check_files FOLDER: pages without warnings, no path of the build, services with little exposure.
check_files() {
  local page unit warnings program
  for page in "$1"/usr/share/man/man1/*.gz; do
    if command -v groff > /dev/null; then
      warnings=$(zcat "$page" | groff -man -Tutf8 -Kutf8 -ww -z 2>&1)
      [ -z "$warnings" ] || complain "$page: $warnings"
    fi
  done
  for program in "$1"/usr/bin/* "$1"/usr/lib/sweep/*; do
    [ -f "$program" ] || continue
    ! readelf -d "$program" | grep -E 'R(UN)?PATH' | grep -vF '[$ORIGIN' ||
      complain "$program looks for libraries at a fixed place"
    ! grep -qF "$PWD" "$program" || complain "$program names the folder of the build"
  done
  for unit in "$1"/lib/systemd/system/*.service; do
    [ -f "$unit" ] && command -v systemd-analyze > /dev/null || continue
    # In tenths.
    systemd-analyze security --offline=true --no-pager --threshold=30 "$unit" > "$work/exposure" ||
      complain "$unit is exposed: $(tail -n 1 "$work/exposure")"
    tail -n 1 "$work/exposure"
  done
}

# Debian's checker, in a root of its own since it needs 100 packages.
check_lintian() {
  make_base
  new_root lintian
  if ! (quietly inside apt-get update -qq && install_debs lintian); then
    echo "lintian: could not be had"
    return
  fi
  cp "$packages"/*.deb "$root/tmp"
  inside_as_user sh -c 'lintian --tag-display-limit 0 --fail-on error,warning --info /tmp/*.deb' \
    > "$work/lintian.log" 2>&1 || complain "lintian: $(grep -E '^[EW]:' "$work/lintian.log" | sort | head -n 30)"
  grep -E '^[EW]:' "$work/lintian.log" || echo "lintian: no error or warning"
}

# trained COMMAND...: a sweep that was run; 3 means that no configuration met the criteria.
trained() {
  local code=0
  "$@" > "$work/trained.log" 2>&1 || code=$?
  [ $code -eq 0 ] || [ $code -eq 3 ] || complain "'$*' ends with $code: $(cat "$work/trained.log")"
}

# On a machine that has nothing: install, `sweep run`, `sweep best`.
case_install() {
  make_base
  new_root install
  give_data
  mkdir -p "$root/home/user"
  chown 1000:1000 "$root/home/user"
  cp "$packages"/*.deb "$root/tmp"
  quietly inside apt-get update -qq
  local start=$SECONDS load installed best
  load=$(cut -d ' ' -f 1 /proc/loadavg)
  install_debs /tmp/sweep-client_*.deb /tmp/sweep-worker_*.deb
  installed=$((SECONDS - start))
  trained inside_as_user sweep run /usr/share/doc/sweep/examples/$demonstration.yaml "${data[@]}" \
    --db /home/user/sweep.db
  best=$(inside_as_user sweep best --db /home/user/sweep.db --top 1 2>&1) || true
  [[ $best == *"$demonstration/"* ]] || complain "sweep best says: $best"
  echo "$best" | head -n 3
  local all=$((SECONDS - start))
  echo "installed after $installed s, best of $demonstration after $all s, on $(nproc) cores with" \
    "load $load before"
  if [ $all -ge 100 ] && awk "BEGIN { exit !($load < 0.5) }"; then
    complain "the first ranking took $all s, not below 100 s"
  fi
  install_debs /tmp/sweep-coordinator_*.deb
  check_versions
  check_completion
}

check_versions() {
  local program said version
  version=$(dpkg-deb -f "$packages"/sweep-client_*.deb Version)
  for program in sweep sweep-coordinator sweep-worker sweep-trainer; do
    said=$(inside_as_user $program --version)
    [[ $said == *"$version"* ]] || complain "$program --version says '$said', the package $version"
  done
}

# As the shells do it: the file is found by the program's name.
check_completion() {
  local said
  said=$(inside bash -c 'source /usr/share/bash-completion/completions/sweep-worker
    COMP_WORDS=(sweep-worker --slo) COMP_CWORD=1; _sweep-worker; echo "${COMPREPLY[@]}"')
  [ "$said" = --slots ] || complain "bash completes 'sweep-worker --slo' with '$said'"
  if install_debs zsh; then
    # compadd is zsh's way of offering words; here it prints them.
    said=$(inside zsh -fc 'autoload -U compinit; compinit -u -D; compadd() { while [[ $1 != -- ]]; do
      shift; done; shift; print -r -- $*; }; words=(sweep-worker --slo) CURRENT=2
      ${_comps[sweep-worker]}')
    [ "$said" = --slots ] || complain "zsh completes 'sweep-worker --slo' with '$said'"
  fi
  if install_debs fish; then
    said=$(inside fish -c 'complete -C "sweep resu"' | cut -f 1)
    [ "$said" = resume ] || complain "fish completes 'sweep resu' with '$said'"
  fi
}

# make_older FOLDER [CHANGE]: the same packages, of version 0.0.9; CHANGE is a function of the package's
# name and of its unpacked folder.
make_older() {
  local deb folder
  mkdir -p "$work/older"
  for deb in "$packages"/*.deb; do
    folder=$work/older/$(basename "$deb" .deb)
    dpkg-deb -R "$deb" "$folder"
    sed -i 's/^Version: .*/Version: 0.0.9/' "$folder/DEBIAN/control"
    [ $# -lt 2 ] || "$2" "$(dpkg-deb -f "$deb" Package)" "$folder"
    quietly dpkg-deb --root-owner-group -Znone -b "$folder" "$1/$(dpkg-deb -f "$deb" Package)_older.deb"
    rm -rf "$folder"
  done
}

# A package as it was before /etc/sweep: settings in /etc/default.
with_variables_only() {
  local settings=etc/default/$1
  [ -d "$2/etc/sweep" ] || return 0
  rm -r "$2/etc/sweep"
  mkdir -p "$2/etc/default"
  printf '# of an older version\nSWEEP_COORDINATOR=127.0.0.1:7077\n' > "$2/$settings"
  echo "/$settings" > "$2/DEBIAN/conffiles"
}

# What is ours in the root, whatever it is.
ours() {
  find "$root" -xdev -iname '*sweep*' -not -path "$root/tmp/*" -printf '/%P\n'
  inside dpkg-query -W -f '${Package} ${Status}\n' 'sweep*' 2> /dev/null || true
}

case_upgrade() {
  make_base
  new_root upgrade
  local settings=$root/etc/default/sweep-coordinator db=/var/lib/sweep/sweep.db version left path best
  mkdir "$root/tmp/new" "$root/tmp/older"
  cp "$packages"/*.deb "$root/tmp/new"
  make_older "$root/tmp/older" with_variables_only
  quietly inside apt-get update -qq
  inside sh -c 'install -d /var/lib/sweep'
  quietly inside sh -c 'apt-get install -y -qq --no-install-recommends /tmp/older/*.deb'
  version=$(inside dpkg-query -W -f '${Version}' sweep-coordinator)
  [ "$version" = 0.0.9 ] || complain "the older version is $version"
  trained inside sweep run /usr/share/doc/sweep/examples/synthetic.yaml --db $db
  echo 'SWEEP_COORDINATOR_OPTIONS="--lease-term 90"' >> "$settings"

  quietly inside sh -c 'apt-get install -y -qq --no-install-recommends /tmp/new/*.deb'
  version=$(inside dpkg-query -W -f '${Version}' sweep-coordinator)
  [ "$version" = "$(dpkg-deb -f "$packages"/sweep-client_*.deb Version)" ] || complain "upgraded to $version"
  grep -q 'lease-term 90' "$settings" || complain "the upgrade has changed $settings"
  [ ! -e "$root/etc/default/sweep-worker" ] ||
    complain "the upgrade leaves variables that nobody has set, which count more than the new file"
  best=$(inside sweep best --db $db 2>&1) || true
  [[ $best == *synthetic/* ]] || complain "the upgrade has lost $db: $best"

  quietly inside apt-get remove -y -qq sweep-client sweep-coordinator sweep-worker
  for path in usr/bin/sweep usr/lib/sweep lib/systemd/system/sweep-worker.service; do
    [ ! -e "$root/$path" ] || complain "removal leaves /$path"
  done
  for path in etc/default/sweep-coordinator etc/sweep/coordinator.yaml etc/sweep/worker.yaml \
    var/lib/sweep/sweep.db; do
    [ -e "$root/$path" ] || complain "removal takes /$path away"
  done
  quietly inside apt-get purge -y -qq sweep-client sweep-coordinator sweep-worker
  left=$(ours)
  [ -z "$left" ] || complain "purge leaves: $left"
}

# In a folder with spaces in its name, with an empty environment, on a machine that has glibc only.
case_tarball() {
  make_base
  new_root tarball
  give_data
  local folder="/opt/two words" bin program said needed chroot
  chroot=$(command -v chroot)
  mkdir -p "$root$folder"
  tar -xf "$packages"/*.tar.gz -C "$root$folder"
  bin=$(cd "$root" && echo ".$folder"/*/bin)
  bin=${bin#.}
  for program in sweep sweep-coordinator sweep-worker sweep-trainer; do
    said=$(inside ldd "$bin/$program" | grep -vF "$bin/../lib/sweep/" |
      grep -vE '^\s*(linux-vdso|lib(c|m|dl|rt|pthread|resolv|mvec)\.so|/lib64/ld-linux)' || true)
    [ -z "$said" ] || complain "$program needs more than glibc: $said"
  done
  # Debian 12 has glibc 2.36.
  needed=$(find "$root$bin" "$root$bin/../lib/sweep" -type f -exec objdump -T {} + 2> /dev/null |
    grep -oE 'GLIBC_2\.[0-9]+' | sort -uV | tail -n 1)
  printf 'GLIBC_2.36\n%s\n' "$needed" | sort -VC -r || complain "the programs need $needed"
  local examples=$bin/../share/doc/sweep/examples
  trained env -i "$chroot" "$root" "$bin/sweep" run "$examples/$demonstration.yaml" "${data[@]}" \
    --db /tmp/sweep.db
  said=$(env -i "$chroot" "$root" "$bin/sweep" best --db /tmp/sweep.db --top 1 2>&1) || true
  [[ $said == *"$demonstration/"* ]] || complain "sweep best says: $said"
  # lanes trained the above; libtorch must run as well.
  trained env -i "$chroot" "$root" "$bin/sweep" run "$examples/synthetic.yaml" --backend torch \
    --db /tmp/torch.db
  echo "needs glibc of $needed"
}

# As systemd does it: boots the root without a network, and starts the services there.
case_service() {
  make_base
  new_root service
  mkdir "$root/tmp/new" "$root/tmp/older"
  cp "$packages"/*.deb "$root/tmp/new"
  make_older "$root/tmp/older"
  quietly inside apt-get update -qq
  install_debs systemd systemd-sysv dbus procps
  quietly inside sh -c 'apt-get install -y -qq --no-install-recommends /tmp/older/*.deb'
  mkdir "$root/packages"
  mv "$root"/tmp/new/sweep-coordinator_*.deb "$root/packages"
  rm "$root/usr/sbin/policy-rc.d"
  install -m 755 "$here/services.sh" "$root/services.sh"
  cat > "$root/etc/systemd/system/services-test.service" <<UNIT
[Service]
Type=oneshot
ExecStart=/services.sh /packages/$(ls "$root/packages")
ExecStopPost=/bin/systemctl exit
[Install]
WantedBy=multi-user.target
UNIT
  quietly inside systemctl enable services-test
  boot --net
  if ! grep -qx passed "$root/result" 2> /dev/null; then
    complain "services: $(cat "$root/result" 2> /dev/null || tail -n 30 "$work/console")"
    inside journalctl --no-pager -n 40 -D /var/log/journal 2> /dev/null >&2 || true
  fi
}
