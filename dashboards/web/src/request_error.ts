// What the server, or the way to it, has to say against a request.
export class RequestError extends Error {
  constructor(
    message: string,
    readonly status: number, // 0: not reached
    readonly retrySeconds = 0, // what the server said of when to come again
  ) {
    super(message);
  }
  // There, but busy: an index of 100,000 trials takes seconds to be made.
  get busy(): boolean {
    return this.status === 503;
  }
  get unreachable(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 504;
  }
}
