/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* At most 14 commands where the card takes short identifiers: SELECT and EF 0006, two for the tries
 * of our own PINs, one for the beginning of each certificate, two for each PIN of another
 * application, three for the validity of the card. */
#include "survey.h"

#include "der.h"

#include <string.h>
#include <time.h>

enum { DAY = 86400, MONTHS_OF_RENEWAL = 3 };

bool has_jpki(enum card_kind kind)
{
    return kind >= KIND_CARD;
}

/* card.md, EF 0006. */
static enum card_kind kind_of(const struct jpki_card_info *info)
{
    static const struct {
        const char *label;
        enum card_kind kind;
    } rows[] = {{"JPKIAPGPSETOKEN", KIND_ANDROID},
                {"JPKIAPIOSTOKEN", KIND_IPHONE},
                {"JPKIAPICCTOKEN", KIND_OLD}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(info->label, rows[i].label) == 0)
            return rows[i].kind;
    return KIND_CARD;
}

/* ---- PINs ------------------------------------------------------------------------------- */

struct pin_facts survey_pin(struct jpki_credential *credential)
{
    struct jpki_pin_status status;
    struct pin_facts facts = {.all = credential->profile->tries};
    enum jpki_error error = jpki_credential_pin_status(credential, JPKI_LISTING_PATIENCE, &status);
    if (error == JPKI_ERR_NO_KEY)
        facts.state = PIN_MISSING;
    else if (error == JPKI_ERR_BUSY)
        facts.state = PIN_NOT_ASKED;
    else if (error != JPKI_OK || status.tries == JPKI_TRIES_UNTOLD)
        facts.state = PIN_UNTOLD;
    else if (status.tries >= facts.all)
        facts.state = PIN_OK;
    else
        facts.state = status.tries == 0 ? PIN_LOCKED : status.tries == 1 ? PIN_LAST : PIN_LOW;
    facts.error = facts.state == PIN_UNTOLD ? error : JPKI_OK;
    facts.left = facts.state <= PIN_LOCKED ? status.tries : 0;
    return facts;
}

/* ---- Certificates ----------------------------------------------------------------------- */

/* Three calendar months before. */
static int64_t renewal_opens(int64_t until)
{
    time_t end = (time_t)until;
    struct tm parts;
    (void)gmtime_r(&end, &parts);
    parts.tm_mon -= MONTHS_OF_RENEWAL;
    return timegm(&parts);
}

static enum certificate_state state_at(int64_t now, int64_t from, int64_t until)
{
    if (now < from)
        return CERTIFICATE_EARLY;
    if (now > until)
        return CERTIFICATE_EXPIRED;
    return now >= renewal_opens(until) ? CERTIFICATE_RENEWABLE : CERTIFICATE_VALID;
}

static struct jpki_field content_of(const struct jpki_certificate_slot *slot)
{
    if (slot->state == JPKI_CERTIFICATE_WHOLE)
        return slot->certificate->value;
    return (struct jpki_field){slot->content.data, slot->content.length};
}

/* Its beginning: one block as a rule, two where the names are longer. */
static bool read_beginning(struct jpki_credential *credential, enum jpki_certificate_use use,
                           struct certificate_start *start)
{
    static const enum jpki_certificate_state steps[] = {JPKI_CERTIFICATE_STARTED,
                                                        JPKI_CERTIFICATE_KEY};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (read_certificate_until(credential, use, steps[i]) == JPKI_OK &&
            certificate_start_read(content_of(&credential->certificates[use]), start))
            return true;
    return false;
}

static int year_of(int64_t seconds)
{
    time_t time = (time_t)seconds;
    struct tm parts;
    (void)gmtime_r(&time, &parts);
    return parts.tm_year + 1900;
}

static enum certificate_state why_not(const struct jpki_credential *credential)
{
    switch (credential->certificates[JPKI_HOLDER].state) {
    case JPKI_CERTIFICATE_HIDDEN:
        return CERTIFICATE_HIDDEN;
    case JPKI_CERTIFICATE_NONE:
        return CERTIFICATE_MISSING;
    case JPKI_CERTIFICATE_UNREAD:
    case JPKI_CERTIFICATE_STARTED:
    case JPKI_CERTIFICATE_KEY:
    case JPKI_CERTIFICATE_WHOLE:
        break;
    }
    return CERTIFICATE_UNREADABLE;
}

void survey_certificate(struct jpki_reader *reader, enum jpki_key key,
                        struct certificate_facts *facts)
{
    struct jpki_credential *credential = jpki_reader_credential(reader, key);
    struct certificate_start holder, authority;
    char issuer[TEXT_BYTES];
    *facts = (struct certificate_facts){.state = CERTIFICATE_HIDDEN};
    if (read_beginning(credential, JPKI_AUTHORITY, &authority))
        facts->ca_year = year_of(authority.from);
    /* Of a certificate that is known to be hidden the card is not asked. */
    if (credential->profile->private_certificate && !credential->logged_in)
        return;
    if (!read_beginning(credential, JPKI_HOLDER, &holder)) {
        facts->state = why_not(credential);
        return;
    }
    int64_t now = time(NULL);
    facts->from = holder.from;
    facts->until = holder.until;
    facts->state = state_at(now, holder.from, holder.until);
    facts->days_left = (int)((holder.until - now) / DAY);
    der_short_name(holder.issuer, issuer);
    (void)snprintf(facts->issuer, sizeof facts->issuer, "%.63s", issuer);
}

/* ---- The whole -------------------------------------------------------------------------- */

static void survey_keys(struct jpki_reader *reader, struct survey *survey)
{
    for (enum jpki_key key = 0; key < JPKI_KEYS; key++) {
        survey->pins[key] = survey_pin(jpki_reader_credential(reader, key));
        survey->certificates[key].state = CERTIFICATE_MISSING;
        /* A free certificate may be there without a PIN (card.md, Kinds of card). */
        if (key == JPKI_KEY_AUTH || survey->pins[key].state != PIN_MISSING)
            survey_certificate(reader, key, &survey->certificates[key]);
    }
}

/* Other applications, last: selecting them disturbs ours. */
static void survey_others(struct jpki_reader *reader, struct survey *survey)
{
    char date[9];
    for (enum jpki_key key = JPKI_KEYS; key < JPKI_PINS; key++)
        survey->pins[key] = survey_pin(jpki_reader_credential(reader, key));
    enum jpki_error error = jpki_reader_card_expiry(reader, JPKI_LISTING_PATIENCE, date);
    survey->others = error == JPKI_ERR_BUSY;
    if (error == JPKI_OK)
        (void)snprintf(survey->valid_until, sizeof survey->valid_until, "%.4s-%.2s-%.2s", date,
                       date + 4, date + 6);
}

void survey_reader(struct jpki_reader *reader, struct survey *survey)
{
    *survey = (struct survey){.reader = jpki_reader_name(reader), .kind = KIND_UNREADABLE};
    survey->error = jpki_reader_hold(reader, JPKI_LISTING_PATIENCE);
    if (survey->error == JPKI_ERR_NO_CARD)
        survey->kind = KIND_NONE;
    if (survey->error == JPKI_ERR_NOT_JPKI)
        survey->kind = KIND_OTHER;
    if (survey->error != JPKI_OK)
        return;
    const struct jpki_card_info *info = jpki_reader_card_info(reader);
    survey->kind = kind_of(info);
    memcpy(survey->serial, info->serial, sizeof survey->serial);
    survey_keys(reader, survey);
    survey_others(reader, survey);
    jpki_reader_release(reader);
}
