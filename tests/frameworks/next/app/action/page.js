"use client";

import { useActionState, useEffect } from "react";
import { list } from "./list";

export default function Page() {
  const [names, submit] = useActionState(list, "");
  useEffect(() => {
    if (names) document.title = names;
  }, [names]);
  return (
    <form action={submit}>
      <button type="submit">List</button>
    </form>
  );
}
