/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the rows of programs.c point to: where each program wants to be told of the module, and what
 * to say then. */
#pragma once

#include "setup/programs.h"

void firefox_places(const struct program *program, struct place_list *list);
void firefox_system_places(const struct program *program, struct place_list *list);
void thunderbird_places(const struct program *program, struct place_list *list);
void thunderbird_system_places(const struct program *program, struct place_list *list);
void chromium_places(const struct program *program, struct place_list *list);
void p11_kit_places(const struct program *program, struct place_list *list);
void openssl_places(const struct program *program, struct place_list *list);
void ssh_places(const struct program *program, struct place_list *list);
void java_places(const struct program *program, struct place_list *list);

void browser_hint(const struct program *program, const char *file);
void p11_kit_hint(const struct program *program, const char *file);
void openssl_hint(const struct program *program, const char *file);
void ssh_hint(const struct program *program, const char *file);
void java_hint(const struct program *program, const char *file);
