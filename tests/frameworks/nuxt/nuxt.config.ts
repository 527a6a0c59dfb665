export default defineNuxtConfig({
  compatibilityDate: "2026-01-01",
  telemetry: false,
  routeRules: { "/v1/**": { proxy: `${process.env.REFSYNC_URL}/v1/**` } },
});
