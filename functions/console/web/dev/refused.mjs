/** What the API answers with a problem. */
export class Refused extends Error {
  constructor(status, detail, errors) {
    super(detail);
    Object.assign(this, { status, errors });
  }
}
