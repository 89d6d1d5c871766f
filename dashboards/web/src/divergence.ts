// A trial whose loss ran away: what it had chosen is to blame, not the machine, and the same seed with
// the same values does it again.

export function hasDiverged(trial: { state: string; reason: string }): boolean {
  return trial.state === "diverged" || (trial.state === "failed" && /^diverged\b/.test(trial.reason));
}
