/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The profiles of Firefox and Thunderbird, and whether a browser runs. */
#pragma once

#include "setup/places.h"

/* Below the user's home; a directory with a profiles.ini. */
struct profile_root {
    const char *below;
    bool confined; /* of a Snap or Flatpak */
};

/* Calls `visit` with the directory of each profile of this root. */
void each_profile(const char *root, void (*visit)(const char *profile, void *context),
                  void *context);

/* Whether Firefox or Thunderbird runs with the profile in which this place is. */
bool mozilla_in_use(const struct place *place);

/* Whether Chromium or a browser made from it runs. */
bool chromium_in_use(const struct place *place);
