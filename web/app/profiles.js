// Who uses this phone: several people may share one, each with a phone of her own inside it (key, rows, household). The
// list lies in a database of its own. Nothing in it is needed to read a profile's rows again: its names are copies.

const DEFAULTS = { language: null, large: false, unit: "jin" };

const result = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

function openDatabase() {
  const request = indexedDB.open("granary", 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("profiles", { keyPath: "id" });
    request.result.createObjectStore("current");
  };
  return result(request);
}

/// The language of a new profile: Chinese, unless the browser asks for another one first.
function firstLanguage() {
  return (navigator.languages?.[0] ?? navigator.language ?? "zh").toLowerCase().startsWith("zh") ? "zh" : "en";
}

/// What the page is shown of a profile.
export function shown({ id, name, household, cooperative, pin, unsent }) {
  return { id, name, household, cooperative, hasPin: pin != null, unsent: unsent ?? 0 };
}

export class Profiles {
  #database;

  static async open() {
    const profiles = new Profiles();
    profiles.#database = await openDatabase();
    profiles.#database.onversionchange = () => profiles.#database.close();
    return profiles;
  }

  /// Runs `fill` in one strict transaction, and gives what it returns once that is durable.
  async #change(fill) {
    const transaction = this.#database.transaction(["profiles", "current"], "readwrite", { durability: "strict" });
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    const value = fill(transaction.objectStore("profiles"), transaction.objectStore("current"));
    const [given] = await Promise.all([value, done]);
    return given;
  }

  /// The profile that this phone was last used with; the first start makes one.
  async current() {
    return this.#change(async (profiles, current) => {
      const id = await result(current.get("id"));
      const kept = id && (await result(profiles.get(id)));
      if (kept) return kept;
      const [first] = await result(profiles.getAll(null, 1));
      const profile = first ?? fresh(firstLanguage());
      profiles.put(profile);
      current.put(profile.id, "id");
      return profile;
    });
  }

  async list() {
    return result(this.#database.transaction("profiles").objectStore("profiles").getAll());
  }

  async add(language) {
    const profile = fresh(language);
    return this.#change((profiles) => {
      profiles.put(profile);
      return profile;
    });
  }

  /// The profile, which the next start begins with; undefined when there is none of this id.
  async makeCurrent(id) {
    return this.#change(async (profiles, current) => {
      const profile = await result(profiles.get(id));
      if (profile) current.put(id, "id");
      return profile;
    });
  }

  /// Changes some fields of a profile and gives it; undefined when it was removed meanwhile.
  async update(id, fields) {
    return this.#change(async (profiles) => {
      const profile = await result(profiles.get(id));
      if (!profile) return undefined;
      Object.assign(profile, fields);
      profiles.put(profile);
      return profile;
    });
  }

  async remove(id) {
    await this.#change((profiles) => void profiles.delete(id));
  }
}

function fresh(language) {
  // Time first, so that the list is in the order in which people were added.
  const id = Date.now().toString(36).padStart(9, "0") + crypto.randomUUID().slice(0, 8);
  return { id, name: "", household: "", cooperative: "", unsent: 0, pin: null, ...DEFAULTS, language };
}
