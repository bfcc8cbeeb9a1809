/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening, inserting and powering a card, sending commands; its switches and counters. */
#include "card.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ATR    "3BE000FF8131FE4514" /* T=1 */
#define ATR_T0 "3B6500004A504B4930" /* invented: T=0, historical bytes "JPKI0" */

static void lay_out(struct vcard *card)
{
    for (size_t i = 0; i < APPLICATIONS; i++) {
        struct application *application = &card->application[i];
        application->profile = &application_profiles[i];
        for (size_t j = 0; j < application->profile->ef_count; j++)
            application->ef[j].profile = &application->profile->ef[j];
    }
    switches_init(&card->switches);
    card->inserted = true;
}

static void destroy(struct vcard *card)
{
    for (size_t i = 0; i < APPLICATIONS; i++) {
        for (size_t j = 0; j < EF_MAX; j++) {
            EVP_PKEY_free(card->application[i].ef[j].key);
            free(card->application[i].ef[j].content);
        }
    }
    replay_free(card->replay);
    OSSL_LIB_CTX_free(card->crypto);
    pthread_mutex_destroy(&card->mutex);
    free(card->dir);
    free(card);
}

struct vcard *vcard_open(const char *dir)
{
    struct vcard *card = calloc(1, sizeof(*card));
    if (card == NULL)
        return NULL;
    pthread_mutex_init(&card->mutex, NULL);
    lay_out(card);
    card->dir = strdup(dir);
    if (card->dir == NULL || state_load(card, dir) != 0) {
        int error = errno;
        fprintf(stderr, "vcard: no card in %s: %s\n", dir, strerror(error));
        destroy(card);
        errno = error;
        return NULL;
    }
    return card;
}

struct vcard *vcard_replay(const char *path)
{
    struct vcard *card = calloc(1, sizeof(*card));
    if (card == NULL)
        return NULL;
    pthread_mutex_init(&card->mutex, NULL);
    lay_out(card);
    card->replay = replay_load(path);
    if (card->replay == NULL) {
        int error = errno;
        fprintf(stderr, "vcard: no trace in %s: %s\n", path, strerror(error));
        destroy(card);
        errno = error;
        return NULL;
    }
    switches_put(&card->switches, SWITCH_ATR, replay_atr(card->replay));
    switches_put(&card->switches, SWITCH_PERSIST, "off");
    card->found = card->switches;
    return card;
}

void vcard_close(struct vcard *card)
{
    if (card != NULL)
        destroy(card);
}

/* Without power a card loses everything that is not in the state directory. */
static void lose_power(struct vcard *card)
{
    forget_all_pins(card);
    card->powered = false;
    card->current = NULL;
    card->current_ef = NULL;
    drop_pending(card);
    if (card->replay != NULL)
        replay_reset(card->replay);
}

void vcard_rewind(struct vcard *card)
{
    pthread_mutex_lock(&card->mutex);
    lose_power(card);
    for (size_t i = 0; i < APPLICATIONS; i++) {
        for (size_t j = 0; j < card->application[i].profile->ef_count; j++)
            card->application[i].ef[j].pin = card->application[i].ef[j].found;
    }
    struct switch_value persist = card->switches.value[SWITCH_PERSIST];
    card->switches = card->found;
    card->switches.value[SWITCH_PERSIST] = persist;
    card->inserted = true;
    pthread_mutex_unlock(&card->mutex);
}

void vcard_insert(struct vcard *card)
{
    pthread_mutex_lock(&card->mutex);
    card->inserted = true;
    log_event(card, "inserted");
    pthread_mutex_unlock(&card->mutex);
}

void vcard_remove(struct vcard *card)
{
    pthread_mutex_lock(&card->mutex);
    lose_power(card);
    card->inserted = false;
    log_event(card, "removed");
    pthread_mutex_unlock(&card->mutex);
}

bool vcard_inserted(struct vcard *card)
{
    pthread_mutex_lock(&card->mutex);
    bool inserted = card->inserted;
    pthread_mutex_unlock(&card->mutex);
    return inserted;
}

bool vcard_powered(struct vcard *card)
{
    pthread_mutex_lock(&card->mutex);
    bool powered = card->powered;
    pthread_mutex_unlock(&card->mutex);
    return powered;
}

static void warm_reset(struct vcard *card)
{
    card->counters.resets++;
    if (switch_on(&card->switches, SWITCH_FORGET_WARM_RESET))
        forget_all_pins(card);
    if (switch_is(&card->switches, SWITCH_WARM_RESET_SELECTION, "lost")) {
        card->current = NULL;
        card->current_ef = NULL;
    }
    drop_pending(card);
    if (card->replay != NULL)
        replay_reset(card->replay);
    log_event(card, "warm reset");
}

static void cold_start(struct vcard *card)
{
    card->counters.power_ons++;
    card->powered = true;
    card->first_command = true;
    log_event(card, "power on");
}

int vcard_power_on(struct vcard *card)
{
    pthread_mutex_lock(&card->mutex);
    bool inserted = card->inserted;
    if (inserted && card->powered)
        warm_reset(card);
    else if (inserted)
        cold_start(card);
    pthread_mutex_unlock(&card->mutex);
    errno = inserted ? errno : ENODEV;
    return inserted ? 0 : -1;
}

void vcard_power_off(struct vcard *card)
{
    pthread_mutex_lock(&card->mutex);
    if (card->powered)
        log_event(card, "power off");
    lose_power(card);
    pthread_mutex_unlock(&card->mutex);
}

int vcard_warm_reset(struct vcard *card)
{
    return vcard_power_on(card);
}

size_t vcard_atr(struct vcard *card, uint8_t atr[VCARD_ATR_MAX])
{
    pthread_mutex_lock(&card->mutex);
    const char *hex = card->switches.value[SWITCH_ATR].text;
    if (*hex == '\0')
        hex = switch_on(&card->switches, SWITCH_T0) ? ATR_T0 : ATR;
    size_t len = bytes_of_hex(hex, atr);
    pthread_mutex_unlock(&card->mutex);
    return len;
}

/* What the switches require for this command: FAULT_NONE, a fault, or a status word. */
static uint32_t due_fault(struct vcard *card, const struct apdu *apdu, bool first)
{
    struct switches *switches = &card->switches;
    struct switch_value *at = &switches->value[SWITCH_FAIL_AT];
    const struct switch_value *ins = &switches->value[SWITCH_FAIL_INS];
    uint32_t word = FAULT_NONE;

    if (first)
        word = switches->value[SWITCH_FIRST].word;
    if (ins->word != FAULT_NONE && ins->number == apdu->ins)
        word = ins->word;
    if (at->word != FAULT_NONE && --at->number == 0) {
        word = at->word;
        switches_put(switches, SWITCH_FAIL_AT, "off");
    }
    if (switches->value[SWITCH_FAIL_NEXT].word != FAULT_NONE) {
        word = switches->value[SWITCH_FAIL_NEXT].word;
        switches_put(switches, SWITCH_FAIL_NEXT, "off");
    }
    return switch_on(switches, SWITCH_MUTE) ? FAULT_MUTE : word;
}

static void take_time(struct vcard *card, size_t bytes, uint64_t signatures)
{
    const struct switch_value *value = card->switches.value;
    uint64_t us = (uint64_t)value[SWITCH_LATENCY_COMMAND].number +
                  (uint64_t)value[SWITCH_LATENCY_BYTE].number * bytes +
                  (uint64_t)value[SWITCH_LATENCY_SIGN].number * signatures;
    if (us == 0)
        return;
    struct timespec rest = {.tv_sec = (time_t)(us / 1000000),
                            .tv_nsec = (long)(us % 1000000) * 1000};
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
        continue;
}

static size_t put_answer(uint8_t *to, const struct answer *answer, uint16_t sw)
{
    memcpy(to, answer->data, answer->len);
    to[answer->len] = (uint8_t)(sw >> 8);
    to[answer->len + 1] = (uint8_t)sw;
    return answer->len + 2;
}

static void count_pin_command(struct vcard *card, const struct apdu *apdu)
{
    if (apdu->cla != 0x00 || apdu->form == CASE_NONE)
        return;
    if (apdu->ins == INS_VERIFY)
        *(apdu->lc > 0 ? &card->counters.verifies : &card->counters.queries) += 1;
    if (apdu->ins == INS_CHANGE_REFERENCE_DATA)
        card->counters.changes++;
}

/* A status word, or a fault. */
static uint32_t carry_out(struct vcard *card, const struct apdu *apdu, const uint8_t *command,
                          size_t command_len, struct answer *answer)
{
    if (card->replay == NULL)
        return command_run(card, apdu, answer);
    uint32_t sw = replay_answer(card->replay, command, command_len, answer);
    return sw == REPLAY_NO_ANSWER ? FAULT_MUTE : sw;
}

/* Carries out a command, with its latency. Returns the answer's length; 0 when the transport
 * failed. */
static size_t work(struct vcard *card, const uint8_t *command, size_t command_len, uint8_t *to)
{
    struct apdu apdu;
    struct answer answer = {.len = 0};
    uint64_t signatures = card->counters.signatures;
    bool first = card->first_command;
    bool header = apdu_parse(&apdu, command, command_len);
    uint32_t word = due_fault(card, &apdu, first);

    card->first_command = false;
    card->counters.commands++;
    card->counters.bytes_in += command_len;
    count_pin_command(card, &apdu);

    uint32_t sw = header ? word : SW_WRONG_LENGTH;
    if (header && (word == FAULT_NONE || word == FAULT_LOST))
        sw = carry_out(card, &apdu, command, command_len, &answer);
    bool answered = word < FAULT_MUTE && sw < FAULT_MUTE;
    size_t len = answered ? put_answer(to, &answer, (uint16_t)sw) : 0;
    if (word == FAULT_PULL) {
        lose_power(card);
        card->inserted = false;
    }
    card->counters.bytes_out += len;
    take_time(card, command_len + len, card->counters.signatures - signatures);
    log_command(card, &apdu, command, command_len, to, len);
    return len;
}

static int readiness(const struct vcard *card, size_t room)
{
    if (room < VCARD_ANSWER_MAX)
        return EINVAL;
    if (!card->inserted)
        return ENODEV;
    return card->powered ? 0 : ENXIO;
}

int vcard_transmit(struct vcard *card, const uint8_t *command, size_t command_len, uint8_t *answer,
                   size_t *answer_len)
{
    pthread_mutex_lock(&card->mutex);
    int error = readiness(card, *answer_len);
    *answer_len = 0;
    if (error == 0) {
        *answer_len = work(card, command, command_len, answer);
        if (*answer_len == 0)
            error = card->inserted ? EIO : ENODEV;
    }
    pthread_mutex_unlock(&card->mutex);
    errno = error == 0 ? errno : error;
    return error == 0 ? 0 : -1;
}

int vcard_set(struct vcard *card, const char *assignment)
{
    pthread_mutex_lock(&card->mutex);
    int status = switches_set(&card->switches, assignment);
    pthread_mutex_unlock(&card->mutex);
    return status;
}

int vcard_get(struct vcard *card, const char *name, char *value, size_t size)
{
    pthread_mutex_lock(&card->mutex);
    const char *text = switches_get(&card->switches, name);
    if (text != NULL)
        snprintf(value, size, "%s", text);
    pthread_mutex_unlock(&card->mutex);
    errno = text == NULL ? EINVAL : errno;
    return text == NULL ? -1 : 0;
}

void vcard_counters(struct vcard *card, struct vcard_counters *counters)
{
    pthread_mutex_lock(&card->mutex);
    *counters = card->counters;
    pthread_mutex_unlock(&card->mutex);
}

void vcard_reset_counters(struct vcard *card)
{
    pthread_mutex_lock(&card->mutex);
    memset(&card->counters, 0, sizeof(card->counters));
    pthread_mutex_unlock(&card->mutex);
}

void vcard_log(struct vcard *card, void (*fn)(void *context, const char *line), void *context)
{
    pthread_mutex_lock(&card->mutex);
    card->log = fn;
    card->log_context = context;
    pthread_mutex_unlock(&card->mutex);
}
