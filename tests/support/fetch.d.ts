/** A body that is a stream needs `duplex`, which TypeScript's declarations of the DOM lack. */
interface RequestInit {
  duplex?: "half";
}
