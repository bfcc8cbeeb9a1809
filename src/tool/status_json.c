/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool status --json. The schema stands in the manual page, jpki-tool(1). */
#include "status.h"

#include <time.h>

/* Quoted. What comes from a card is printable UTF-8 already (der_text and src/card). */
static void put_string(const char *text)
{
    (void)putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            (void)putchar('\\');
        if ((unsigned char)*text < 0x20)
            (void)printf("\\u%04x", (unsigned char)*text);
        else
            (void)putchar(*text);
    }
    (void)putchar('"');
}

/* "name": "value", or null where it is empty. */
static void put_member(const char *name, const char *value)
{
    (void)printf("\"%s\": ", name);
    if (*value != '\0')
        put_string(value);
    else
        (void)printf("null");
}

static void put_time(const char *name, bool known, int64_t seconds)
{
    char text[32] = "";
    time_t time = (time_t)seconds;
    struct tm parts;
    if (known && gmtime_r(&time, &parts) != NULL)
        (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    put_member(name, text);
}

static void put_number(const char *name, bool known, int number)
{
    if (known)
        (void)printf("\"%s\": %d", name, number);
    else
        (void)printf("\"%s\": null", name);
}

static void put_pin(const char *name, const struct pin_facts *facts)
{
    static const char *const states[] = {
        [PIN_OK] = "ok",
        [PIN_LOW] = "low",
        [PIN_LAST] = "last",
        [PIN_LOCKED] = "locked",
        [PIN_MISSING] = "missing",
        [PIN_UNTOLD] = "unknown",
        [PIN_NOT_ASKED] = "not-asked",
    };
    (void)printf("\"%s\": {", name);
    put_member("state", states[facts->state]);
    (void)printf(", ");
    put_number("tries_left", facts->state <= PIN_LOCKED, (int)facts->left);
    (void)printf(", ");
    put_number("tries", true, (int)facts->all);
    (void)printf("}");
}

static void put_certificate(const char *name, const struct certificate_facts *facts)
{
    static const char *const states[] = {
        [CERTIFICATE_VALID] = "valid",           [CERTIFICATE_RENEWABLE] = "renewable",
        [CERTIFICATE_EXPIRED] = "expired",       [CERTIFICATE_EARLY] = "not-yet-valid",
        [CERTIFICATE_HIDDEN] = "hidden",         [CERTIFICATE_MISSING] = "missing",
        [CERTIFICATE_UNREADABLE] = "unreadable",
    };
    bool known = facts->state <= CERTIFICATE_EARLY;
    (void)printf("\"%s\": {", name);
    put_member("state", states[facts->state]);
    (void)printf(", ");
    put_member("issuer", facts->issuer);
    (void)printf(", ");
    put_number("ca_key_year", facts->ca_year != 0, facts->ca_year);
    (void)printf(", ");
    put_time("valid_from", known, facts->from);
    (void)printf(", ");
    put_time("valid_until", known, facts->until);
    (void)printf(", ");
    put_number("days_left", known, facts->days_left);
    (void)printf("}");
}

void json_begin(void)
{
    (void)printf("{\"readers\": [");
}

void json_end(void)
{
    (void)printf("]}\n");
}

void json_reader(const struct survey *survey, bool first)
{
    static const char *const kinds[] = {
        [KIND_NONE] = "none",
        [KIND_UNREADABLE] = "unreadable",
        [KIND_OTHER] = "other",
        [KIND_CARD] = "card",
        [KIND_ANDROID] = "android",
        [KIND_IPHONE] = "iphone",
        [KIND_OLD] = "resident-register-card",
    };
    (void)printf("%s\n  {", first ? "" : ",");
    put_member("name", survey->reader);
    (void)printf(", ");
    put_member("card", kinds[survey->kind]);
    if (has_jpki(survey->kind)) {
        (void)printf(",\n   ");
        put_member("serial", survey->serial);
        (void)printf(", ");
        put_member("valid_until", survey->valid_until);
        (void)printf(",\n   \"pins\": {");
        for (enum jpki_key key = 0; key < JPKI_PINS; key++) {
            (void)printf("%s\n    ", key == 0 ? "" : ",");
            put_pin(pin_words[key].word, &survey->pins[key]);
        }
        (void)printf("},\n   \"certificates\": {");
        for (enum jpki_key key = 0; key < JPKI_KEYS; key++) {
            (void)printf("%s\n    ", key == 0 ? "" : ",");
            put_certificate(pin_words[key].word, &survey->certificates[key]);
        }
        (void)printf("}");
    }
    (void)printf("}");
}
