/** What the code has, as far as manifests can name it: asked of the code itself, never of a list kept beside it. */

export interface MetricFact {
  readonly labels: readonly string[];
  /** Processes that register it. */
  readonly processes: readonly string[];
}

export interface CodeFacts {
  /** Environment variables and their defaults; undefined without one. */
  readonly variables: ReadonlyMap<string, string | undefined>;
  /** Reads the environment as a process does at its start; returns the mistakes. */
  readonly parseEnvironment: (environment: Readonly<Record<string, string>>) => readonly string[];
  /** Compiled programs of the image: dist/workers/send.js. */
  readonly programs: ReadonlySet<string>;
  /** Paths that HEALTH_PORT answers. */
  readonly healthPaths: ReadonlySet<string>;
  /** GET paths of the API that have no parameters. */
  readonly apiPaths: ReadonlySet<string>;
  /** As Prometheus sees them: histograms by their three series. */
  readonly metrics: ReadonlyMap<string, MetricFact>;
}
