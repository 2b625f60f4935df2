/**
 * Invented people by country: first names, last names and cities to mix, about as a shop in the United States meets them. A name whose
 * romanised form can't be had by dropping accents carries it after a `|`.
 */
export interface Country {
  readonly code: string;
  /** Share of the audience, of the sum of all. */
  readonly weight: number;
  readonly locale: string;
  readonly currency: string;
  readonly firstNames: readonly string[];
  readonly lastNames: readonly string[];
  /** City and IANA time zone. */
  readonly places: readonly (readonly [string, string])[];
}

export const countries: readonly Country[] = [
  {
    code: 'US',
    weight: 72,
    locale: 'en-US',
    currency: 'USD',
    firstNames: words(
      'James Mary Robert Linda José Patricia Michael Zoë David Barbara DeShawn Elizabeth María Renée Aaliyah Carlos Keisha Brian Nguyet Sofía Andrew Chloë Mateo Shaniqua Tyler Ana Kenji Beyoncé Ryan Noor',
    ),
    lastNames: words(
      "Smith Johnson Williams Brown Jones García Miller Davis Rodríguez Martínez Hernández López O'Brien Wilson Anderson D'Angelo Nguyen Lee Thompson McDonald Washington O'Connor Patel Kowalski Núñez St.John Begaye Kim Freeman Schmidt",
    ),
    places: [
      ['New York', 'America/New_York'],
      ['Miami', 'America/New_York'],
      ['Boston', 'America/New_York'],
      ['Detroit', 'America/Detroit'],
      ['Chicago', 'America/Chicago'],
      ['Houston', 'America/Chicago'],
      ['Minneapolis', 'America/Chicago'],
      ['Denver', 'America/Denver'],
      ['Phoenix', 'America/Phoenix'],
      ['Los Angeles', 'America/Los_Angeles'],
      ['San José', 'America/Los_Angeles'],
      ["Coeur d'Alene", 'America/Los_Angeles'],
      ['Seattle', 'America/Los_Angeles'],
      ['Anchorage', 'America/Anchorage'],
      ['Honolulu', 'Pacific/Honolulu'],
    ],
  },
  {
    code: 'CA',
    weight: 7,
    locale: 'fr-CA',
    currency: 'CAD',
    firstNames: words('Émilie Liam François Olivia Noémie Jacob Chloé Étienne Aisha Gurpreet'),
    lastNames: words("Tremblay Gagnon Côté Bélanger Singh Roy MacKenzie L'Heureux Lévesque Chen"),
    places: [
      ['Montréal', 'America/Toronto'],
      ['Québec', 'America/Toronto'],
      ['Toronto', 'America/Toronto'],
      ['Vancouver', 'America/Vancouver'],
      ["St. John's", 'America/St_Johns'],
    ],
  },
  {
    code: 'GB',
    weight: 5,
    locale: 'en-GB',
    currency: 'GBP',
    firstNames: words('Oliver Siân Harry Isla Muhammad Niamh Freya Callum Zoë Priya'),
    lastNames: words("Taylor O'Neill Hughes Khan Evans Fitzgerald MacLeod Thomas Begum Okafor"),
    places: [
      ['London', 'Europe/London'],
      ['Stoke-on-Trent', 'Europe/London'],
      ['Edinburgh', 'Europe/London'],
    ],
  },
  {
    code: 'DE',
    weight: 4,
    locale: 'de-DE',
    currency: 'EUR',
    firstNames: words('Jürgen Käthe Björn Anneliese Mehmet Sören Lieselotte Günther Ayşe Finn'),
    lastNames: words('Müller Schröder Weiß Strauß Jäger Özdemir Krüger Vogel Böhm Groß'),
    places: [
      ['München', 'Europe/Berlin'],
      ['Köln', 'Europe/Berlin'],
      ['Frankfurt (Oder)', 'Europe/Berlin'],
    ],
  },
  {
    code: 'MX',
    weight: 4,
    locale: 'es-MX',
    currency: 'MXN',
    firstNames: words('José Guadalupe Íñigo Ximena Ángel Lucía Jesús Itzel Raúl Begoña'),
    lastNames: words('Hernández Muñoz Ibáñez Peña Güemes Ordóñez Castañeda Cruz Yáñez Ruiz'),
    places: [
      ['Ciudad de México', 'America/Mexico_City'],
      ['Mérida', 'America/Merida'],
      ['Tijuana', 'America/Tijuana'],
    ],
  },
  {
    code: 'SE',
    weight: 3,
    locale: 'sv-SE',
    currency: 'SEK',
    firstNames: words('Åse Björn Linnéa Göran Märta Håkan Ella Örjan Saga Åke'),
    lastNames: words('Åkesson Lindström Öberg Sjögren Nyström Ängström Dahl Wallén Håkansson Ek'),
    places: [
      ['Malmö', 'Europe/Stockholm'],
      ['Borås', 'Europe/Stockholm'],
      ['Umeå', 'Europe/Stockholm'],
    ],
  },
  {
    code: 'PL',
    weight: 2,
    locale: 'pl-PL',
    currency: 'PLN',
    firstNames: words('Łukasz Agnieszka Wojciech Małgorzata Zbigniew Żaneta Stanisław Bożena'),
    lastNames: words('Wiśniewski Wójcik Kowalczyk Dąbrowska Łuczak Szczęsny Błaszczykowski Żuraw'),
    places: [
      ['Łódź', 'Europe/Warsaw'],
      ['Kraków', 'Europe/Warsaw'],
      ['Gdańsk', 'Europe/Warsaw'],
    ],
  },
  {
    code: 'JP',
    weight: 2,
    locale: 'ja-JP',
    currency: 'JPY',
    firstNames: words('陽葵|himari 蓮|ren 結衣|yui 大翔|hiroto さくら|sakura 健太|kenta'),
    lastNames: words('佐藤|sato 鈴木|suzuki 高橋|takahashi 田中|tanaka 渡辺|watanabe 髙橋|takahashi'),
    places: [
      ['東京', 'Asia/Tokyo'],
      ['大阪', 'Asia/Tokyo'],
    ],
  },
  {
    code: 'TW',
    weight: 1,
    locale: 'zh-TW',
    currency: 'TWD',
    firstNames: words('李|li 怡君|yijun 家豪|jiahao 淑芬|shufen 志明|zhiming'),
    lastNames: words('陳|chen 林|lin 黃|huang 張|zhang 李|li 𠮷田|yoshida'),
    places: [
      ['臺北', 'Asia/Taipei'],
      ['高雄', 'Asia/Taipei'],
    ],
  },
];

export const products: readonly string[] = [
  'Aurora floor lamp',
  'Kettle "Nordic", 1.7 l',
  'Fjäll wool throw',
  'Harbour mug, set of six',
  'Birch serving board',
  'Skagen desk clock',
  'Linen bedding, king size',
  'Cast-iron pan, 28 cm',
  'Reading chair "Lovø"',
  'Beeswax candles & snuffer',
];

export const categories: readonly string[] = ['lighting', 'kitchen', 'bedroom', 'furniture'];

/** What people write into a free text field: lines, commas and quotes that a CSV reader has to survive. */
export const deliveryNotes: readonly string[] = [
  'Ring twice,\nthe bell is "shy"',
  'Behind the red door, not the blue one',
  'c/o Nguyễn\r\n3rd floor, left; mind the cat',
  '"Gone fishing" — leave it with Mr. O\'Hara',
  '=HYPERLINK("https://example.com"), really',
];

function words(text: string): readonly string[] {
  return text.split(' ');
}
