/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool sign --pdf. Without libqpdf there is missing.c in its place. */
#pragma once

#include "tool.h"

enum exit_code sign_pdf(struct tool *tool);
