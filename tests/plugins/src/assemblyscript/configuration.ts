// The plugin configuration: a JSON object (RFC 8259) of strings.

const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const COLON: u8 = 0x3a;
const BACKSLASH: u8 = 0x5c;
const OPENING_BRACE: u8 = 0x7b;
const CLOSING_BRACE: u8 = 0x7d;

/** A header as UTF-8, the form in which the host takes it. */
export class Header {
  constructor(
    readonly name: ArrayBuffer,
    readonly value: ArrayBuffer,
  ) {}
}

/** The headers in document order, or null when the document is not an object of strings. */
export function parseConfiguration(document: Uint8Array): Header[] | null {
  if (document.length == 0) return [];
  return new Parser(document).parse();
}

// A method called take… moves past what it is named for; where that is not what comes next it
// answers false, null or -1.
class Parser {
  private position: i32 = 0;

  constructor(private readonly document: Uint8Array) {}

  parse(): Header[] | null {
    const headers = this.takeObject();
    this.skipSpace();
    return this.atEnd() ? headers : null;
  }

  private takeObject(): Header[] | null {
    const headers: Header[] = [];
    this.skipSpace();
    if (!this.take(OPENING_BRACE)) return null;
    this.skipSpace();
    if (this.take(CLOSING_BRACE)) return headers;
    do {
      const header = this.takeMember();
      if (header === null) return null;
      headers.push(header);
    } while (this.take(COMMA));
    return this.take(CLOSING_BRACE) ? headers : null;
  }

  private takeMember(): Header | null {
    this.skipSpace();
    const name = this.takeString();
    this.skipSpace();
    if (name === null || !this.take(COLON)) return null;
    this.skipSpace();
    const value = this.takeString();
    this.skipSpace();
    if (value === null) return null;
    return new Header(name, value);
  }

  private takeString(): ArrayBuffer | null {
    if (!this.take(QUOTE)) return null;
    const text: u8[] = [];
    while (!this.atEnd()) {
      const byte = this.next();
      if (byte == QUOTE) return Uint8Array.wrap(text.buffer, 0, text.length).slice().buffer;
      if (byte < 0x20) return null; // control characters must be escaped
      if (byte != BACKSLASH) {
        text.push(byte);
        continue;
      }
      const code = this.takeEscape();
      if (code < 0) return null;
      pushUtf8(text, code);
    }
    return null;
  }

  /** The code point that the characters after a backslash stand for. */
  private takeEscape(): i32 {
    if (this.atEnd()) return -1;
    const byte = this.next();
    switch (byte) {
      case QUOTE:
      case BACKSLASH:
      case 0x2f: // slash
        return byte;
      case 0x62: // b
        return 0x08;
      case 0x66: // f
        return 0x0c;
      case 0x6e: // n
        return 0x0a;
      case 0x72: // r
        return 0x0d;
      case 0x74: // t
        return 0x09;
      case 0x75: // u
        return this.takeCodeUnit();
      default:
        return -1;
    }
  }

  /** The four digits of \uXXXX. Surrogates are refused: only the BMP is supported. */
  private takeCodeUnit(): i32 {
    let code = 0;
    for (let i = 0; i < 4; i++) {
      const digit = this.atEnd() ? -1 : hexDigit(this.next());
      if (digit < 0) return -1;
      code = (code << 4) | digit;
    }
    return code >= 0xd800 && code <= 0xdfff ? -1 : code;
  }

  private skipSpace(): void {
    while (!this.atEnd() && isSpace(this.document[this.position])) this.position++;
  }

  private take(expected: u8): bool {
    if (this.atEnd() || this.document[this.position] != expected) return false;
    this.position++;
    return true;
  }

  private next(): u8 {
    return this.document[this.position++];
  }

  private atEnd(): bool {
    return this.position == this.document.length;
  }
}

function isSpace(byte: u8): bool {
  return byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d;
}

function hexDigit(byte: u8): i32 {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}

function pushUtf8(text: u8[], code: i32): void {
  if (code < 0x80) {
    text.push(<u8>code);
  } else if (code < 0x800) {
    text.push(<u8>(0xc0 | (code >> 6)));
    text.push(<u8>(0x80 | (code & 0x3f)));
  } else {
    text.push(<u8>(0xe0 | (code >> 12)));
    text.push(<u8>(0x80 | ((code >> 6) & 0x3f)));
    text.push(<u8>(0x80 | (code & 0x3f)));
  }
}
