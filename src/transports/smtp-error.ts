/** What nodemailer puts into its errors, of what we read. */
export interface SmtpError extends Error {
  readonly code?: string;
  /** The system's code, such as ECONNRESET, under nodemailer's own. */
  readonly originalCode?: string;
  readonly command?: string;
  readonly response?: string;
}
