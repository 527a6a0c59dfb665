/** Forwards the page's calls to the service, so that both have one origin. */
export async function GET({ request, url }) {
  const authorization = request.headers.get("authorization");
  return fetch(`${process.env.REFSYNC_URL}${url.pathname}${url.search}`, { headers: { authorization } });
}
