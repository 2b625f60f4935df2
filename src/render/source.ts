/** What a message is compiled from, and what may be wrong with it. */

export interface TemplateSource {
  /** Liquid, all four. */
  readonly subject: string;
  readonly preheader?: string | undefined;
  readonly html: string;
  /** Made from the HTML when not given. */
  readonly text?: string | undefined;
}

export interface MessageSource extends TemplateSource {
  readonly from: { readonly email: string; readonly name?: string | undefined };
  readonly replyTo?: string | undefined;
  /** Further fields, the same for all recipients; none of those Sluice writes itself. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Right side of Message-ID and List-Id. */
  readonly sendingDomain: string;
  /** Right side of the VERP return path. */
  readonly bounceDomain: string;
  /** Left side of List-Id (RFC 2919): stable over campaigns, so that readers' filters keep working. */
  readonly listId: string;
  /** Feedback-ID, `campaign:tenant:stream:sender`, by which Gmail reports complaints. `sender`: 5 to 15 characters. */
  readonly feedbackId: {
    readonly campaign: string;
    readonly tenant: string;
    readonly stream: string;
    readonly sender: string;
  };
}

export type SourceField =
  | 'subject'
  | 'preheader'
  | 'html'
  | 'text'
  | 'from'
  | 'replyTo'
  | 'headers'
  | 'sendingDomain'
  | 'bounceDomain'
  | 'listId'
  | 'feedbackId';

export interface SourceError {
  readonly field: SourceField;
  /** Of the field's source, from 1, where the error has a place. */
  readonly line?: number;
  readonly column?: number;
  readonly detail: string;
}
