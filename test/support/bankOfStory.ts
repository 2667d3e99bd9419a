import { fromProvider, toProvider } from '../../services/payments/provider/amounts';

interface Intent {
  held: number;
  taken: number;
  back: number;
}

/**
 * The provider's own books, in its own units: they know nothing of ours, and are what ours are held against. What is
 * done to an intent answers its id.
 */
export class BankOfStory {
  private readonly intents = new Map<string, Intent>();
  private besides = 0;

  constructor(private readonly currency: string) {}

  hold(amountMinor: number): string {
    const id = `pi_${this.intents.size + 1}`;
    this.intents.set(id, { held: this.units(amountMinor), taken: 0, back: 0 });
    return id;
  }

  raise(id: string, toMinor: number): string {
    this.intent(id).held = this.units(toMinor);
    return id;
  }

  release(id: string): void {
    this.intent(id).held = 0;
  }

  isHeld(id: string): boolean {
    return this.intent(id).held > 0;
  }

  capture(id: string, amountMinor: number): string {
    const intent = this.intent(id);
    if (this.units(amountMinor) > intent.held) throw new Error('more was captured than was held');
    Object.assign(intent, { taken: this.units(amountMinor), held: 0 });
    return id;
  }

  charge(amountMinor: number): string {
    return this.capture(this.hold(amountMinor), amountMinor);
  }

  refund(id: string, amountMinor: number): string {
    const intent = this.intent(id);
    intent.back += this.units(amountMinor);
    if (intent.back > intent.taken) throw new Error('more was given back than was taken');
    return id;
  }

  /** What goes in or out beside riders' charges: disputes and transfers. */
  move(amountMinor: number): void {
    this.besides += amountMinor;
  }

  get holds(): number {
    return [...this.intents.values()].filter(({ held }) => held > 0).length;
  }

  /** What riders have paid, in our minor units. */
  get netChargeMinor(): number {
    const units = [...this.intents.values()].reduce((sum, { taken, back }) => sum + taken - back, 0);
    return fromProvider(units, this.currency);
  }

  get balanceMinor(): number {
    return this.netChargeMinor + this.besides;
  }

  private intent(id: string): Intent {
    const intent = this.intents.get(id);
    if (intent === undefined) throw new Error(`no intent ${id}`);
    return intent;
  }

  private units(amountMinor: number): number {
    const units = toProvider(amountMinor, this.currency);
    if (!Number.isSafeInteger(units)) throw new Error(`${amountMinor} of ${this.currency} is ${units}`);
    return units;
  }
}
