/** The providers as one cell meets them: each cell has addresses and limits of its own. */
import { Provider } from './provider.ts';
import { providers } from './published-day.ts';

export function makeProviders(peakPerSecond: number): readonly Provider[] {
  return providers.map(
    ({ name, part, takesOfPeak }) => new Provider(name, part * takesOfPeak * peakPerSecond),
  );
}
