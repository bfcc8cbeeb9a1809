/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dates as the user writes them. */
#pragma once

#include "tool.h"

enum { DATE_BYTES = 96 };

/* In the user's own time zone: certificates end at midnight in Japan. Returns `text`. */
const char *date_text(int64_t seconds, char text[DATE_BYTES]);

/* With the time of day. */
const char *time_text(int64_t seconds, char text[DATE_BYTES]);

/* The same as date_text() of YYYY-MM-DD. */
const char *day_text(const char *day, char text[DATE_BYTES]);

/* A birth date as the signature certificate has it: a digit for the era, then YYYYMMDD. With the
 * era's name and year, "昭和50年1月2日/1975-01-02"; what has another form is left as it is. */
const char *birth_text(const char *digits, char text[DATE_BYTES]);
