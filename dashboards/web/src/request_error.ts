// A failed request: the server's refusal, or no connection.
export class RequestError extends Error {
  constructor(
    message: string,
    readonly status: number, // 0: not reached
    readonly retrySeconds = 0, // when the server asked to retry
  ) {
    super(message);
  }
  // The server is busy: building an index of 100,000 trials takes seconds.
  get busy(): boolean {
    return this.status === 503;
  }
  get unreachable(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 504;
  }
}
