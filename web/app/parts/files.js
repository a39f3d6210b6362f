// Giving a file out of the app: by the phone's own sharing where it takes files, else as a download.

const CANCELLED = "AbortError";

/** `shared`, `saved`, or `cancelled` where the person closed the sharing. */
export async function shareFile(file, title) {
  if (navigator.canShare?.({ files: [file] })) {
    try {
      await navigator.share({ files: [file], title });
      return "shared";
    } catch (fault) {
      if (fault.name === CANCELLED) return "cancelled";
    }
  }
  return saveFile(file);
}

export async function saveFile(file) {
  const address = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = address;
  link.download = file.name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  return "saved";
}
