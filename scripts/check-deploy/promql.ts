/** What a PromQL expression names, by Prometheus's own grammar. */
import { parser } from '@prometheus-io/lezer-promql';

export interface Selector {
  /** Undefined for one that is given by its labels alone. */
  readonly metric: string | undefined;
  readonly matchers: readonly LabelMatcher[];
}

export interface LabelMatcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

export interface Expression {
  readonly selectors: readonly Selector[];
  /** Labels of by, without, on, ignoring and group_left. */
  readonly grouped: readonly string[];
  /** Where the grammar gave up; undefined for a valid expression. */
  readonly errorAt: number | undefined;
}

type Tree = ReturnType<typeof parser.parse>;
type Node = Tree['topNode'];

export function readExpression(text: string): Expression {
  const selectors: Selector[] = [];
  const grouped: string[] = [];
  let errorAt: number | undefined;
  parser.parse(text).iterate({
    enter({ node }) {
      if (node.type.isError) errorAt ??= node.from;
      if (node.name === 'VectorSelector') selectors.push(readSelector(node, text));
      if (node.name === 'GroupingLabels')
        grouped.push(...childrenOf(node, 'LabelName').map((n) => textOf(n, text)));
    },
  });
  return { selectors, grouped, errorAt };
}

function readSelector(node: Node, text: string): Selector {
  const identifier = node.getChild('Identifier');
  const matchers = node.getChild('LabelMatchers');
  return {
    metric: identifier ? textOf(identifier, text) : undefined,
    matchers: matchers
      ? childrenOf(matchers, 'UnquotedLabelMatcher').map((one) => readMatcher(one, text))
      : [],
  };
}

function readMatcher(node: Node, text: string): LabelMatcher {
  const part = (name: string) => {
    const child = node.getChild(name);
    return child ? textOf(child, text) : '';
  };
  return { label: part('LabelName'), operator: part('MatchOp'), value: part('StringLiteral').slice(1, -1) };
}

function childrenOf(node: Node, name: string): readonly Node[] {
  return node.getChildren(name);
}

function textOf({ from, to }: Node, text: string): string {
  return text.slice(from, to);
}
