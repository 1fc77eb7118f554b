/** An error that the API returns as a problem. */
export class ProblemError extends Error {
  constructor(status, detail, errors) {
    super(detail);
    Object.assign(this, { status, errors });
  }
}
