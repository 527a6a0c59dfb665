// The packages that only `npm run test:matrix` installs, as far as its tests use them: so these tests are type-checked
// without them, and an option that is misspelt is an error.

declare module "webpack" {
  export interface Configuration {
    mode: "production";
    target?: "node";
    context: string;
    entry: string;
    output: { path: string; filename: string };
    performance: { hints: false };
  }
  export interface Stats {
    hasErrors(): boolean;
    hasWarnings(): boolean;
    toString(preset: "errors-warnings"): string;
  }
  export default function webpack(configuration: Configuration): {
    run(done: (error: Error | null, stats: Stats) => void): void;
  };
}

declare module "rollup" {
  export function rollup(options: { input: string; plugins: object[] }): Promise<{
    write(options: { dir: string; format: "es" } | { file: string; format: "es" | "cjs" }): Promise<unknown>;
  }>;
}

declare module "@rollup/plugin-node-resolve" {
  export function nodeResolve(options?: { browser: boolean }): object;
}

declare module "@web/rollup-plugin-import-meta-assets" {
  export function importMetaAssets(): object;
}

declare module "@parcel/core" {
  export interface ParcelOptions {
    entries: string;
    defaultConfig: string;
    mode: "production";
    shouldAutoInstall: boolean;
    cacheDir: string;
    defaultTargetOptions: { distDir: string; publicUrl: string; sourceMaps: boolean };
  }
  export class Parcel {
    constructor(options: ParcelOptions);
    run(): Promise<unknown>;
  }
}

declare module "publint" {
  export function publint(options: { pkgDir: string; strict: boolean }): Promise<{ messages: object[] }>;
}

declare module "miniflare" {
  export interface MiniflareOptions {
    modules: true;
    modulesRoot: string;
    scriptPath: string;
    modulesRules: { type: "CompiledWasm"; include: string[] }[];
    compatibilityDate: string;
  }
  export class Miniflare {
    constructor(options: MiniflareOptions);
    dispatchFetch(url: string, init: { method: string; body: string }): Promise<Response>;
    dispose(): Promise<void>;
  }
}

declare module "puppeteer-core" {
  export interface Page {
    goto(url: string): Promise<unknown>;
    evaluate<Given, Result>(body: (given: Given) => Promise<Result>, given: Given): Promise<Result>;
  }
  export interface LaunchOptions {
    browser: "firefox";
    executablePath: string | undefined;
    headless: boolean;
  }
  const puppeteer: {
    launch(options: LaunchOptions): Promise<{ newPage(): Promise<Page>; close(): Promise<void> }>;
  };
  export default puppeteer;
}
