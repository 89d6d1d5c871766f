#pragma once

namespace sweep::cli {

// Makes standard error the log of this process, from warnings on: the routine messages of an
// embedded coordinator and worker are not for the user. Lines appear above a LiveBlock.
void LogAboveLiveText();

}  // namespace sweep::cli
