// What is used of two libraries that come without types.

declare module 'html-to-text' {
  export function compile(options: object): (html: string) => string;
}

declare module 'mjml' {
  interface MjmlProblem {
    readonly line?: number;
    readonly message: string;
    readonly tagName?: string;
    readonly formattedMessage: string;
  }
  interface MjmlResult {
    readonly html: string;
    readonly errors: readonly MjmlProblem[];
  }
  export default function mjml2html(source: string, options: object): Promise<MjmlResult>;
}
