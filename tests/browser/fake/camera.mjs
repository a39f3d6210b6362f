// Films for a browser's camera that is none: one frame of Y4M, shown again and again.
const [WIDTH, HEIGHT] = [640, 480];
/// What is held before the camera takes this much of the picture's height.
const HELD = 0.7;

/** Luminances of a frame, row by row, as a film. */
export function film(light, width = WIDTH, height = HEIGHT) {
  const colours = Buffer.alloc((width * height) / 2, 128);
  return Buffer.concat([Buffer.from(`YUV4MPEG2 W${width} H${height} F5:1 Ip A1:1 C420jpeg\nFRAME\n`), Buffer.from(light), colours]);
}

/** A picture held before the camera, in the middle of a white sheet; the page draws it. */
export async function filmOf(page, png) {
  const light = await page.context().browser().newPage().then(async (blank) => {
    try {
      return await blank.evaluate(async ([base64, width, height, held]) => {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        const picture = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
        const context = new OffscreenCanvas(width, height).getContext("2d");
        context.fillStyle = "white";
        context.fillRect(0, 0, width, height);
        const part = (height * held) / Math.max(picture.width, picture.height);
        const [wide, high] = [picture.width * part, picture.height * part];
        context.drawImage(picture, (width - wide) / 2, (height - high) / 2, wide, high);
        const { data } = context.getImageData(0, 0, width, height);
        const grey = Array.from({ length: width * height }, (_, at) => 16 + Math.round((0.299 * data[at * 4] + 0.587 * data[at * 4 + 1] + 0.114 * data[at * 4 + 2]) * 219 / 255));
        let binary = "";
        for (const value of grey) binary += String.fromCharCode(value);
        return btoa(binary);
      }, [png.toString("base64"), WIDTH, HEIGHT, HELD]);
    } finally {
      await blank.close();
    }
  });
  return film(Buffer.from(light, "base64"));
}
