#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <vector>

#include "cli/present/listing.h"
#include "proto/documents/words.h"
#include "sweep/documents/answers.pb.h"
#include "sweep/v1/resources.pb.h"

namespace sweep::cli {

// What the coordinator sends, as the messages that the client prints for programs
// (proto/sweep/documents/answers.proto).
documents::ListedSweep ToListed(const v1::Sweep& sweep);
documents::ShownSweep ToShown(const v1::Sweep& sweep);
// A trial of `sweep`, whose first objective judges it.
documents::ListedTrial ToListed(const v1::Sweep& sweep, const v1::Trial& trial);
documents::DescribedTrial ToDescribed(const v1::Sweep& sweep, const v1::Trial& trial);
// `spec_json`: the line that the trainer gets.
documents::SavedTrial ToSaved(const v1::Sweep& sweep, const v1::Trial& trial,
                              const std::vector<v1::Epoch>& epochs, const std::string& spec_json);
documents::RankedTrial ToRanked(const v1::Sweep& sweep, const v1::RankedConfiguration& row);
documents::Attempt ToDocument(const v1::Attempt& attempt);
documents::EpochRow ToDocument(const v1::Epoch& epoch);
documents::WorkerRow ToDocument(const v1::Worker& worker);

// A message as the client prints it: numbers are not rounded.
Json ToJson(const google::protobuf::Message& message);

// Gives the rows of a listing their values for programs, one message for each row.
template <typename Document>
void AddDocuments(const std::vector<Document>& documents, Listing* listing) {
  std::vector<Json> rows;
  for (const Document& document : documents) rows.push_back(ToJson(document));
  SetValues(DocumentKeys(*Document::descriptor()), std::move(rows), listing);
}

}  // namespace sweep::cli
