declare module "parse-prometheus-text-format" {
  /** The metric families of a text. Numbers are strings. */
  export default function parse(text: string): { name: string; help: string; type: string; metrics: unknown[] }[];
}
