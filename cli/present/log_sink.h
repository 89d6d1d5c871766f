#pragma once

namespace sweep::cli {

// Makes standard error the log of this process, below warnings nothing: what an embedded
// coordinator and worker do every second is not for the user. A line goes above what a LiveBlock
// has drawn.
void LogAboveLiveText();

}  // namespace sweep::cli
