/** Every alert leads to its section of docs/operations.md, which has three first steps; every section there is an alert's. */

import { rulesOf } from './expressions.ts';
import type { Finding } from './finding.ts';
import type { Source } from './manifest.ts';

const page = 'docs/operations.md';

export function checkRunbook(sources: readonly Source[], operationsPage: string): readonly Finding[] {
  const sections = new Map(sectionsOf(operationsPage).map((section) => [section.title, section.text]));
  const alerts = rulesOf(sources).flatMap(({ from, rule }) =>
    rule.alert ? [{ from, ...rule, alert: rule.alert }] : [],
  );
  const names = new Set(alerts.map(({ alert }) => alert));
  return [
    ...alerts.flatMap(({ from, alert, annotations }) => {
      const findings: string[] = [];
      if (!hasThreeSteps(sections.get(alert)))
        findings.push(`${page} has no three steps under "### ${alert}"`);
      if (!annotations?.runbook_url?.endsWith(`${page}#${alert.toLowerCase()}`))
        findings.push(`runbook_url of ${alert} doesn't lead to ${page}#${alert.toLowerCase()}`);
      return findings.map((what) => ({ from, what }));
    }),
    ...[...sections.keys()]
      .filter((title) => title.startsWith('Sluice') && !names.has(title))
      .map((title) => ({ from: page, what: `there is no alert ${title}` })),
  ];
}

function hasThreeSteps(text: string | undefined): boolean {
  return [1, 2, 3].every((n) => new RegExp(`^${n}\\. `, 'm').test(text ?? ''));
}

function sectionsOf(markdown: string): readonly { readonly title: string; readonly text: string }[] {
  return markdown
    .split(/^(?=#{1,3} )/m)
    .map((section) => ({ title: /^### (\w+)$/m.exec(section)?.[1] ?? '', text: section }));
}
