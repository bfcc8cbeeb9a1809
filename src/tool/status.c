/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool status: what is in each reader. Asks for no PIN, unless told to, and spends no try. */
#include "status.h"
#include "dates.h"

/* What --sign-pin brought, and how far we are. */
struct progress {
    bool has_sign;
    struct certificate_facts sign;
    unsigned readers, cards;
    bool busy; /* another program holds a card */
};

/* ---- Text ------------------------------------------------------------------------------- */

static void put_heading(const char *heading)
{
    (void)printf(" %s%s%s\n", colour_on(stdout, BOLD), heading, colour_off(stdout));
}

static const char *kind_text(const struct survey *survey)
{
    static const struct text texts[] = {
        [KIND_NONE] = BOTH(kind_none),       [KIND_UNREADABLE] = {"", ""},
        [KIND_OTHER] = BOTH(kind_other),     [KIND_CARD] = BOTH(kind_card),
        [KIND_ANDROID] = BOTH(kind_android), [KIND_IPHONE] = BOTH(kind_iphone),
        [KIND_OLD] = BOTH(kind_old),
    };
    return survey->kind == KIND_UNREADABLE ? error_text(survey->error)
                                           : text_of(&texts[survey->kind]);
}

void validity_text(const struct certificate_facts *facts, char text[TEXT_BYTES])
{
    char date[DATE_BYTES];
    switch (facts->state) {
    case CERTIFICATE_VALID:
    case CERTIFICATE_RENEWABLE:
        (void)snprintf(text, TEXT_BYTES, TEXT(certificate_valid), date_text(facts->until, date),
                       facts->days_left,
                       facts->state == CERTIFICATE_RENEWABLE ? TEXT(certificate_renewable) : "");
        break;
    case CERTIFICATE_EXPIRED:
        (void)snprintf(text, TEXT_BYTES, TEXT(certificate_expired), date_text(facts->until, date));
        break;
    case CERTIFICATE_EARLY:
        (void)snprintf(text, TEXT_BYTES, TEXT(certificate_early), date_text(facts->from, date));
        break;
    case CERTIFICATE_HIDDEN:
        (void)snprintf(text, TEXT_BYTES, "%s", TEXT(certificate_hidden));
        break;
    case CERTIFICATE_MISSING:
        (void)snprintf(text, TEXT_BYTES, "%s", TEXT(certificate_missing));
        break;
    case CERTIFICATE_UNREADABLE:
        (void)snprintf(text, TEXT_BYTES, "%s", TEXT(certificate_unreadable));
        break;
    }
}

static void put_validity(const char *title, enum jpki_key key,
                         const struct certificate_facts *facts)
{
    static const enum colour colours[] = {
        [CERTIFICATE_VALID] = GREEN,       [CERTIFICATE_RENEWABLE] = YELLOW,
        [CERTIFICATE_EXPIRED] = RED,       [CERTIFICATE_EARLY] = YELLOW,
        [CERTIFICATE_HIDDEN] = PLAIN,      [CERTIFICATE_MISSING] = PLAIN,
        [CERTIFICATE_UNREADABLE] = YELLOW,
    };
    char text[TEXT_BYTES];
    validity_text(facts, text);
    bool sign_hidden = facts->state == CERTIFICATE_HIDDEN && key == JPKI_KEY_SIGN;
    put_item(title, colours[facts->state], "%s",
             sign_hidden ? TEXT(certificate_hidden_sign) : text);
}

static void put_certificate(enum jpki_key key, const struct certificate_facts *facts)
{
    put_validity(text_of(&pin_words[key].title), key, facts);
    if (facts->issuer[0] != '\0')
        put_item("", PLAIN, TEXT(certificate_issuer), facts->issuer);
    if (facts->ca_year != 0)
        put_item("", PLAIN, TEXT(certificate_ca), facts->ca_year);
}

static void put_card(const struct survey *survey)
{
    char text[TEXT_BYTES];
    if (survey->serial[0] != '\0')
        put_item(TEXT(status_serial), PLAIN, "%s", survey->serial);
    if (survey->valid_until[0] != '\0')
        put_item(TEXT(status_valid_until), PLAIN, "%s", day_text(survey->valid_until, text));
    put_heading(TEXT(status_pins));
    for (enum jpki_key key = 0; key < JPKI_PINS; key++) {
        pin_text(&survey->pins[key], key, text);
        put_item(text_of(&pin_words[key].title), pin_colour(survey->pins[key].state), "%s", text);
    }
    put_heading(TEXT(status_certificates));
    for (enum jpki_key key = 0; key < JPKI_KEYS; key++)
        put_certificate(key, &survey->certificates[key]);
    /* card.md, Kinds of card. */
    enum pin_state auth = survey->pins[JPKI_KEY_AUTH].state;
    bool unusable = auth == PIN_LOCKED || auth == PIN_MISSING || auth == PIN_UNTOLD;
    bool there = survey->certificates[JPKI_KEY_AUTH].state <= CERTIFICATE_EARLY;
    if (unusable && there && survey->pins[JPKI_KEY_SIGN].state == PIN_MISSING)
        put_text(stdout, 2, 2, "%s", TEXT(maybe_face));
}

static void put_reader(const struct survey *survey, bool first)
{
    (void)printf("%s%s", first ? "" : "\n", colour_on(stdout, BOLD));
    put_text(stdout, 0, 2, "%s%s", survey->reader, colour_off(stdout));
    put_item(TEXT(status_card), survey->kind == KIND_UNREADABLE ? YELLOW : PLAIN, "%s",
             kind_text(survey));
    if (has_jpki(survey->kind))
        put_card(survey);
}

/* ---- The command ------------------------------------------------------------------------ */

static enum exit_code show(struct tool *tool, struct jpki_reader *reader, void *context)
{
    struct progress *progress = context;
    struct survey survey;
    survey_reader(reader, &survey);
    if (progress->has_sign)
        survey.certificates[JPKI_KEY_SIGN] = progress->sign;
    if (has_option(tool, OPTION_JSON))
        json_reader(&survey, progress->readers == 0);
    else
        put_reader(&survey, progress->readers == 0);
    progress->readers++;
    progress->cards += has_jpki(survey.kind);
    progress->busy |= survey.kind == KIND_UNREADABLE && survey.error == JPKI_ERR_BUSY;
    return EXIT_OK;
}

/* With the signature PIN, which is for one card: it is logged out before anything is shown. */
static enum exit_code show_with_pin(struct tool *tool, struct progress *progress)
{
    enum exit_code code;
    struct jpki_reader *reader = open_one_reader(tool, &code);
    if (reader == NULL)
        return code;
    code = unlock(tool, reader, JPKI_KEY_SIGN);
    if (code == EXIT_OK) {
        survey_certificate(reader, JPKI_KEY_SIGN, &progress->sign);
        progress->has_sign = true;
        code = lock_again(reader, JPKI_KEY_SIGN);
    }
    if (code == EXIT_OK)
        code = show(tool, reader, progress);
    close_reader(reader);
    return code;
}

enum exit_code run_status(struct tool *tool)
{
    struct progress progress = {0};
    bool json = has_option(tool, OPTION_JSON);
    if (json)
        json_begin();
    enum exit_code code = has_option(tool, OPTION_SIGN_PIN) ? show_with_pin(tool, &progress)
                                                            : each_reader(tool, show, &progress);
    if (json)
        json_end();
    if (code != EXIT_OK || progress.cards > 0)
        return code;
    return progress.busy ? EXIT_BUSY : EXIT_NO_CARD;
}
