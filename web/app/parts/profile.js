// Whose phone this is now: the name under which drafts and wishes of one person are kept apart from another's.
import { core } from "../core.js";

export const profileId = () => core.profile?.id ?? "";
