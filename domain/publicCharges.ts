import { fareOf, type Fare, type FareLine, type Product } from './fare';
import type { Point } from './geo';
import { isIn } from './newYork';

/**
 * What New York has passengers of a for-hire vehicle pay beside the fare, as in force from 31 March 2019, the time of
 * our tariffs. Names are those of the law.
 */
export const publicCharges = {
  /**
   * MTA Bridges and Tunnels' crossing charge for a car with E-ZPass, into Staten Island only, from 31 March 2019. It is
   * the one crossing inside the city that has no free way round; of the others nobody knows which way a driver takes.
   */
  verrazzanoToll: { name: 'Verrazzano-Narrows Bridge crossing charge', amountMinor: 1_224 },
  /** Executive Law, article 6-F (New York Black Car Operators' Injury Compensation Fund): of fare and tolls. */
  blackCarFund: { name: "Black Car Operators' Injury Compensation Fund surcharge", percent: 2.5 },
  /**
   * Tax Law §§ 1101(b)(34), 1105(c)(10), 1107, 1109 and TSB-M-09(7)S: 4 % of the state, 4.5 % of the city, 0.375 % of
   * the commuter district, on fare, tolls and the Fund's surcharge of a ride that begins and ends in the state.
   */
  salesTax: { name: 'New York State and local sales tax', percent: 8.875 },
  /**
   * Tax Law, article 29-C (§ 1299-A): a trip that begins or ends in Manhattan south of 96th Street, or passes through
   * it, and begins and ends in the state; for-hire vehicles, not pooled. No part of what sales tax is taken of.
   */
  congestion: { name: 'Congestion surcharge', amountMinor: 275 },
} as const;

/**
 * The fare with tolls and taxes for a way through these points, each a line by its legal name, rounded half up to a
 * whole cent. Taxes are on the transport of persons: a courier pays tolls alone. A way that leaves the city is another
 * county's or state's, whose rates we do not know: it has none of these. Of passing through a zone we know only where
 * the ride begins, stops and ends.
 */
export function withPublicCharges(fare: Fare, product: Product, points: readonly Point[]): Fare {
  if (!points.every((point) => isIn('city', point))) return fare;
  const { verrazzanoToll, blackCarFund, salesTax, congestion } = publicCharges;
  const crossings = points.slice(1).filter((to, i) => entersStatenIsland(points[i]!, to)).length;
  const tolls = line('toll', verrazzanoToll.name, crossings * verrazzanoToll.amountMinor);
  const withTolls = fareOf(fare.currency, [...fare.lines, ...tolls]);
  if (product === 'courier') return withTolls;

  const fund = line('tax', blackCarFund.name, share(withTolls.totalMinor, blackCarFund.percent));
  const taxed = fareOf(fare.currency, [...withTolls.lines, ...fund]);
  return fareOf(fare.currency, [
    ...taxed.lines,
    ...line('tax', salesTax.name, share(taxed.totalMinor, salesTax.percent)),
    ...(points.some((point) => isIn('manhattanSouthOf96th', point))
      ? line('tax', congestion.name, congestion.amountMinor)
      : []),
  ]);
}

const entersStatenIsland = (from: Point, to: Point): boolean =>
  !isIn('statenIsland', from) && isIn('statenIsland', to);

const line = (kind: FareLine['kind'], name: string, amountMinor: number): FareLine[] =>
  amountMinor === 0 ? [] : [{ kind, name, amountMinor }];

const share = (amountMinor: number, percent: number): number => Math.round((amountMinor * percent) / 100);
