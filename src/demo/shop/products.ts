import type { Random } from '../random.ts';

const names = [
  'Grüner Tee «Sencha», 100 g',
  '抹茶セット（茶筅つき）',
  'Ceai de mentă și tei',
  'Filterkaffee ☕ 250 g',
  'Čaj šípkový s ibiškem',
  'Чай чёрный «Эрл Грей»',
  'Tasse «Ærlighed» 🫖',
  'Crème brûlée au thé',
  'Teekanne, 1,2 l, weiß',
  'شاي بالنعناع',
] as const;

export interface Product {
  readonly sku: string;
  readonly name: string;
  readonly price: number;
}

export function product(random: Random): Product {
  return {
    sku: `T-${random.int(1000, 9999)}`,
    name: random.pick(names),
    price: random.int(290, 8_990) / 100,
  };
}
