import { defineConfig, type Plugin } from "vite";

/**
 * The page holds an API key, so nothing but its own files may run in it. Only the built page says so: the development
 * server injects styles of its own. It talks to the service that serves it and to no other.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const contentSecurityPolicy: Plugin = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: POLICY }, injectTo: "head-prepend" },
  ],
};

export default defineConfig({
  // Relative, so that the page also works below a path.
  base: "./",
  plugins: [contentSecurityPolicy],
  build: { target: "es2022" },
});
