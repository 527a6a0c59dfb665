"use client";

import { useEffect } from "react";
import { SyncClient } from "refsync";
import { names } from "../names";

export default function Page() {
  useEffect(() => {
    names(new SyncClient({ apiKey: location.hash.slice(1) })).then(
      (found) => {
        document.title = found;
      },
      (error) => {
        document.title = String(error);
      },
    );
  }, []);
  return <p>The title has the names.</p>;
}
