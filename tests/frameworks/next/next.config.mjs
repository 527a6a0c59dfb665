export default {
  distDir: process.env.DIST,
  turbopack: { root: import.meta.dirname },
  rewrites: async () => [{ source: "/v1/:path*", destination: `${process.env.REFSYNC_URL}/v1/:path*` }],
};
