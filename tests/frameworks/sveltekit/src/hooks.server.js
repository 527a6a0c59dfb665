/** Forwards the page's calls to the service, so that both have one origin. */
export async function handle({ event, resolve }) {
  const { pathname, search } = event.url;
  if (!pathname.startsWith("/v1/")) return resolve(event);
  const { authorization } = Object.fromEntries(event.request.headers);
  return fetch(`${process.env.REFSYNC_URL}${pathname}${search}`, { headers: { authorization } });
}
