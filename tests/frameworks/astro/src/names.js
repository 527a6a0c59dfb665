/** The names of all repositories, in one text. */
export async function names(client) {
  const found = [];
  for await (const { name } of client.repos.list()) found.push(name);
  return found.join(" ");
}
