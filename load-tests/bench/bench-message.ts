/** A campaign mail of a given size: mostly static HTML, with what a real one has per recipient. */

/** HTML of about `kilobytes`, with ten personal outputs, a condition and an unsubscribe link. */
export function benchHtml(kilobytes: number): string {
  const head = `<html><body><h1>Hello {{ profile.first_name | default: "there" }}</h1>
{% if profile.tier == "gold" %}<p>As a gold member you shop first.</p>{% else %}<p>Join our club.</p>{% endif %}`;
  const foot = `<p>Sent to {{ profile.email }}. <a href="{{ unsubscribe_url }}">Unsubscribe</a></p></body></html>`;
  const rows: string[] = [];
  let size = head.length + foot.length;
  for (let n = 1; size < kilobytes * 1024 * 0.92; n++) {
    const row = productRow(n);
    rows.push(row);
    size += row.length;
  }
  return `${head}<table>${rows.join('\n')}</table>${foot}`;
}

function productRow(n: number): string {
  const personal =
    n % 8 === 0 ? `<b>{{ profile.first_name }}, yours for {{ profile.city }}</b>` : 'Today only';
  return `<tr><td style="padding:12px 16px;font-family:Arial,sans-serif;font-size:14px;color:#222222"><a
href="https://shop.example.com/products/${n}?utm_source=mail&amp;utm_campaign=bench"><img src="https://cdn.example.com/p/${n}.jpg"
width="160" height="160" alt="Product ${n}"></a></td><td style="padding:12px 16px">Lamp number ${n}, hand made, warm light. ${personal}:
<strong>${(n * 7) % 90}.99</strong></td></tr>`;
}
