/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dates.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *date_text(int64_t seconds, char text[DATE_BYTES])
{
    time_t time = (time_t)seconds;
    struct tm parts;
    if (localtime_r(&time, &parts) == NULL)
        return TEXT(date_unknown);
    (void)snprintf(text, DATE_BYTES, TEXT(date_format), parts.tm_year + 1900, parts.tm_mon + 1,
                   parts.tm_mday);
    return text;
}

const char *time_text(int64_t seconds, char text[DATE_BYTES])
{
    time_t time = (time_t)seconds;
    struct tm parts;
    char date[DATE_BYTES];
    if (localtime_r(&time, &parts) == NULL)
        return TEXT(date_unknown);
    (void)snprintf(text, DATE_BYTES, "%.60s %02d:%02d:%02d %.10s", date_text(seconds, date),
                   parts.tm_hour, parts.tm_min, parts.tm_sec, parts.tm_zone);
    return text;
}

const char *day_text(const char *day, char text[DATE_BYTES])
{
    long numbers[3] = {0};
    for (int i = 0; i < 3; i++, day += *day == '-') {
        char *end;
        numbers[i] = strtol(day, &end, 10);
        day = end;
    }
    (void)snprintf(text, DATE_BYTES, TEXT(date_format), (int)numbers[0], (int)numbers[1],
                   (int)numbers[2]);
    return text;
}

/* The eras by their first day. What their digit in the certificate is stands in no open source, so
 * it is not used: the date itself tells. */
static const struct era {
    int first; /* YYYYMMDD */
    const char *name;
} eras[] = {
    {20190501, "令和"}, {19890108, "平成"}, {19261225, "昭和"},
    {19120730, "大正"}, {18680125, "明治"},
};

static bool is_date(int date)
{
    int month = date / 100 % 100, day = date % 100;
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

const char *birth_text(const char *digits, char text[DATE_BYTES])
{
    enum { DIGITS = 9 };
    int date = 0;
    if (strlen(digits) == DIGITS && strspn(digits, "0123456789") == DIGITS)
        date = (int)strtol(digits + 1, NULL, 10);
    int year = date / 10000, month = date / 100 % 100, day = date % 100;
    for (size_t i = 0; i < sizeof eras / sizeof eras[0] && is_date(date); i++) {
        if (date < eras[i].first)
            continue;
        char of_era[16] = "元"; /* the first year */
        if (year > eras[i].first / 10000)
            (void)snprintf(of_era, sizeof of_era, "%d", year - eras[i].first / 10000 + 1);
        (void)snprintf(text, DATE_BYTES, "%s%s年%d月%d日/%d-%02d-%02d", eras[i].name, of_era, month,
                       day, year, month, day);
        return text;
    }
    (void)snprintf(text, DATE_BYTES, "%s", digits); /* also of a day that is not known */
    return text;
}
