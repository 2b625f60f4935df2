import { AuthExchange, type AuthStep, type Credentials } from './auth-exchange.ts';
import { isAddress, isAscii, type Path, parseCommand, parsePath } from './commands.ts';
import { type Extensions, extensionLines } from './extensions.ts';
import { formatReply } from './replies.ts';
import type { Stage } from './rule.ts';

/** What the sink would say to a command, and what it would do about it, unless a rule decides otherwise. */
export interface Verdict {
  readonly reply: string;
  /** Where rules may step in; undefined when the command was wrong, and the reply is final. */
  readonly stage?: Stage;
  /** Whom it is about, for conditions on recipients. */
  readonly addresses?: readonly string[];
  /** What changes when the command is accepted. */
  readonly effect?: () => void;
}

export interface ConversationTerms {
  readonly hostname: string;
  readonly extensions: Extensions;
  /** When given, AUTH takes only these; else any. */
  credentials: Credentials | undefined;
  readonly requireAuth: boolean;
  readonly requireTls: boolean;
  readonly maxRecipients: number;
}

const MAIL_PARAMETERS = new Set(['SIZE', 'BODY', 'SMTPUTF8', 'AUTH']);

/** One client's SMTP state (RFC 5321 section 4.1.4), without sockets: command lines in, verdicts out. */
export class Conversation {
  readonly #terms: ConversationTerms;
  #isSecure: boolean;
  #isGreeted = false;
  #isAuthenticated = false;
  #exchange: AuthExchange | undefined;
  #isUtf8 = false;
  #from: string | undefined;
  #recipients: string[] = [];
  #messageNumber = 0;
  #isReceiving = false;

  constructor(terms: ConversationTerms, isSecure: boolean) {
    this.#terms = terms;
    this.#isSecure = isSecure;
  }

  /** Number of the current message on this connection, from 1: a MAIL that is right in sequence starts one. */
  get messageNumber(): number {
    return this.#messageNumber;
  }

  get from(): string {
    return this.#from ?? '';
  }

  get recipients(): readonly string[] {
    return this.#recipients;
  }

  /** After the 354, until `endTransaction`: what comes is a message and no commands. */
  get isReceiving(): boolean {
    return this.#isReceiving;
  }

  greeting(): Verdict {
    return { stage: 'connect', reply: `220 ${this.#terms.hostname} ESMTP sink\r\n` };
  }

  respond(line: string): Verdict {
    if (this.#exchange !== undefined) return this.#afterAuthStep(this.#exchange.answer(line));
    const { verb, argument } = parseCommand(line);
    switch (verb) {
      case 'MAIL':
        return this.#mail(argument);
      case 'RCPT':
        return this.#rcpt(argument);
      case 'DATA':
        return this.#data(argument);
      case 'EHLO':
      case 'HELO':
        return this.#hello(verb, argument);
      case 'STARTTLS':
        return this.#startTls(argument);
      case 'AUTH':
        return this.#auth(argument);
      case 'RSET':
        return {
          stage: 'rset',
          reply: this.#reply(250, '2.0.0', 'Flushed'),
          effect: () => this.endTransaction(),
        };
      case 'NOOP':
        return { stage: 'noop', reply: this.#reply(250, '2.0.0', 'OK') };
      case 'VRFY':
        return { stage: 'vrfy', reply: this.#reply(252, '2.1.5', 'Send some mail, I will try my best') };
      case 'QUIT':
        return { stage: 'quit', reply: this.#reply(221, '2.0.0', 'Bye') };
      case 'HELP':
        return { reply: this.#reply(214, '2.0.0', 'RFC 5321') };
      default:
        return this.#refuse(500, '5.5.2', 'Command not recognized');
    }
  }

  refuseLongLine(): Verdict {
    return this.#refuse(500, '5.5.2', 'Line too long');
  }

  refuseBareLineFeed(): Verdict {
    return this.#refuse(500, '5.5.2', 'Lines end with CRLF');
  }

  refuseTooLarge(): Verdict {
    return this.#refuse(552, '5.3.4', 'Message exceeds the size limit');
  }

  endTransaction(): void {
    this.#from = undefined;
    this.#recipients = [];
    this.#isUtf8 = false;
    this.#isReceiving = false;
  }

  /** TLS is up: all that was said before counts for nothing (RFC 3207 section 4.2). */
  secured(): void {
    this.endTransaction();
    this.#isSecure = true;
    this.#isGreeted = false;
    this.#isAuthenticated = false;
  }

  #hello(verb: 'EHLO' | 'HELO', client: string): Verdict {
    if (client === '') return this.#refuse(501, '5.5.4', `${verb} needs a name`);
    const { hostname, extensions } = this.#terms;
    const lines = verb === 'EHLO' ? extensionLines(extensions, this.#isSecure) : [];
    return {
      stage: 'ehlo',
      reply: formatReply(250, [hostname, ...lines].join('\n')),
      effect: () => {
        this.endTransaction();
        this.#isGreeted = true;
      },
    };
  }

  #startTls(argument: string): Verdict {
    if (!this.#terms.extensions.startTls) return this.#refuse(502, '5.5.1', 'STARTTLS not offered');
    if (this.#isSecure) return this.#refuse(503, '5.5.1', 'TLS is on already');
    if (argument !== '') return this.#refuse(501, '5.5.4', 'STARTTLS takes no argument');
    return { stage: 'starttls', reply: this.#reply(220, '2.0.0', 'Ready to start TLS') };
  }

  #auth(argument: string): Verdict {
    if (!this.#terms.extensions.auth) return this.#refuse(502, '5.5.1', 'AUTH not offered');
    if (!this.#isGreeted) return this.#refuse(503, '5.5.1', 'Send EHLO first');
    if (this.#isAuthenticated) return this.#refuse(503, '5.5.1', 'Authenticated already');
    if (this.#from !== undefined) return this.#refuse(503, '5.5.1', 'Not during a mail transaction');
    const [mechanism = '', initialResponse] = argument.split(' ');
    this.#exchange = new AuthExchange(mechanism);
    return this.#afterAuthStep(this.#exchange.begin(initialResponse));
  }

  #afterAuthStep(step: AuthStep): Verdict {
    if (step.kind === 'ask') return { reply: `334 ${step.challenge}\r\n` };
    this.#exchange = undefined;
    switch (step.kind) {
      case 'credentials':
        return this.#afterCredentials(step.credentials);
      case 'cancelled':
        return this.#refuse(501, '5.7.0', 'Authentication cancelled');
      case 'malformed':
        return this.#refuse(501, '5.5.2', 'Not base64, or not credentials');
      case 'unknown mechanism':
        return this.#refuse(504, '5.5.4', 'Unrecognized authentication type');
    }
  }

  #afterCredentials({ user, pass }: Credentials): Verdict {
    const wanted = this.#terms.credentials;
    if (wanted !== undefined && (wanted.user !== user || wanted.pass !== pass)) {
      return this.#refuse(535, '5.7.8', 'Authentication credentials invalid');
    }
    return {
      stage: 'auth',
      reply: this.#reply(235, '2.7.0', 'Authentication successful'),
      effect: () => {
        this.#isAuthenticated = true;
      },
    };
  }

  #mail(argument: string): Verdict {
    if (!this.#isGreeted) return this.#refuse(503, '5.5.1', 'Send EHLO first');
    if (this.#terms.requireTls && !this.#isSecure)
      return this.#refuse(530, '5.7.0', 'Must issue a STARTTLS command first');
    if (this.#terms.requireAuth && !this.#isAuthenticated)
      return this.#refuse(530, '5.7.0', 'Authentication required');
    if (this.#from !== undefined) return this.#refuse(503, '5.5.1', 'Nested MAIL command');
    const path = parsePath('FROM', argument);
    if (path === undefined) return this.#refuse(501, '5.5.4', 'Syntax: MAIL FROM:<address>');
    const isUtf8 = path.parameters.has('SMTPUTF8');
    const fault = this.#faultOfSender(path, isUtf8);
    if (fault !== undefined) return fault;
    this.#messageNumber++;
    return {
      stage: 'mail',
      reply: this.#reply(250, '2.1.0', 'Sender OK'),
      effect: () => {
        this.#from = path.address;
        this.#isUtf8 = isUtf8;
      },
    };
  }

  #faultOfSender({ address, parameters }: Path, isUtf8: boolean): Verdict | undefined {
    if (address !== '' && !isAddress(address)) return this.#refuse(501, '5.1.7', 'Bad sender address syntax');
    for (const keyword of parameters.keys()) {
      if (!MAIL_PARAMETERS.has(keyword))
        return this.#refuse(555, '5.5.4', `Parameter ${keyword} not recognized`);
    }
    if (!isUtf8 && !isAscii(address)) return this.#refuse(553, '5.6.7', 'Address needs SMTPUTF8');
    const { sizeLimit, smtpUtf8 } = this.#terms.extensions;
    if (isUtf8 && !smtpUtf8) return this.#refuse(555, '5.5.4', 'SMTPUTF8 not offered');
    return sizeLimit > 0 && Number(parameters.get('SIZE')) > sizeLimit ? this.refuseTooLarge() : undefined;
  }

  #rcpt(argument: string): Verdict {
    if (this.#from === undefined) return this.#refuse(503, '5.5.1', 'Need MAIL command');
    const path = parsePath('TO', argument);
    if (path === undefined) return this.#refuse(501, '5.5.4', 'Syntax: RCPT TO:<address>');
    if (!isAddress(path.address)) return this.#refuse(501, '5.1.3', 'Bad recipient address syntax');
    if (path.parameters.size > 0) return this.#refuse(555, '5.5.4', 'Parameters not recognized');
    if (!this.#isUtf8 && !isAscii(path.address)) return this.#refuse(553, '5.6.7', 'Address needs SMTPUTF8');
    if (this.#recipients.length >= this.#terms.maxRecipients)
      return this.#refuse(452, '4.5.3', 'Too many recipients');
    return {
      stage: 'rcpt',
      reply: this.#reply(250, '2.1.5', 'Recipient OK'),
      addresses: [path.address],
      effect: () => {
        this.#recipients.push(path.address);
      },
    };
  }

  #data(argument: string): Verdict {
    if (argument !== '') return this.#refuse(501, '5.5.4', 'DATA takes no argument');
    if (this.#from === undefined) return this.#refuse(503, '5.5.1', 'Need MAIL command');
    if (this.#recipients.length === 0) return this.#refuse(554, '5.5.1', 'No valid recipients');
    return {
      stage: 'data',
      reply: '354 End data with <CR><LF>.<CR><LF>\r\n',
      addresses: this.#recipients,
      effect: () => {
        this.#isReceiving = true;
      },
    };
  }

  #refuse(code: number, enhanced: string, text: string): Verdict {
    return { reply: this.#reply(code, enhanced, text) };
  }

  #reply(code: number, enhanced: string, text: string): string {
    return this.#terms.extensions.enhancedStatusCodes
      ? `${code} ${enhanced} ${text}\r\n`
      : `${code} ${text}\r\n`;
  }
}
