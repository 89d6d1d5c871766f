// What the server, or the way to it, has to say against a request.
export class RequestError extends Error {
  constructor(
    message: string,
    readonly status: number, // 0: not reached
  ) {
    super(message);
  }
  // Whether asking again later may help.
  get transient(): boolean {
    return this.status === 0 || this.status === 503 || this.status === 502 || this.status === 504;
  }
}
