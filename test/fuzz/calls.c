/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "calls.h"

#include "fake_readers.h"
#include "return_values.h"
#include "secrets.h"
#include "switches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_MAX = 256, SWITCHES_MAX = 8 };

/* ---- Arguments -------------------------------------------------------------------------- */

CK_SESSION_HANDLE calls_session(struct calls *calls)
{
    unsigned byte = input_byte(&calls->input);
    if (byte < 0xF0)
        return calls->sessions[byte % CALLS_SESSIONS];
    return byte < 0xF8 ? byte & 7 : ~0UL - (byte & 7);
}

CK_OBJECT_HANDLE calls_object(struct calls *calls)
{
    unsigned byte = input_byte(&calls->input);
    if (byte < 0xE0)
        return calls->objects[byte % CALLS_OBJECTS];
    return byte < 0xF0 ? byte & 0xF : calls->objects[0] ^ 1UL << (byte & 0xF);
}

CK_SLOT_ID calls_slot(struct calls *calls)
{
    unsigned byte = input_byte(&calls->input);
    return byte < 0xF8 ? byte & 1 : byte < 0xFC ? byte & 7 : ~0UL;
}

void *calls_room(struct calls *calls, size_t length)
{
    return input_byte(&calls->input) == 0xFF ? NULL : malloc(length > 0 ? length : 1);
}

CK_BYTE *calls_bytes(struct calls *calls, CK_ULONG *length, bool may_exceed)
{
    unsigned form = input_byte(&calls->input);
    size_t size = form == 0xF0 ? input_word(&calls->input) : form % 64;
    const uint8_t *bytes = input_take(&calls->input, &size);
    *length = size;
    if (form == 0xFF) {
        *length = input_byte(&calls->input);
        return NULL;
    }
    CK_BYTE *copy = malloc(size > 0 ? size : 1);
    fuzz_promise(copy != NULL, "memory");
    if (size > 0)
        memcpy(copy, bytes, size);
    // The highest length, and one that becomes 0 when cut to 32 bits.
    if (may_exceed && form == 0xFE)
        *length = input_byte(&calls->input) & 1 ? ~0UL : (CK_ULONG)(UINT64_C(1) << 40);
    return copy;
}

CK_MECHANISM calls_mechanism(struct calls *calls, CK_RSA_PKCS_PSS_PARAMS *pss)
{
    static const CK_MECHANISM_TYPE types[] = {
        CKM_SHA256_RSA_PKCS, CKM_RSA_PKCS,        CKM_RSA_PKCS_PSS,
        CKM_SHA1_RSA_PKCS,   CKM_SHA224_RSA_PKCS, CKM_SHA384_RSA_PKCS,
        CKM_SHA512_RSA_PKCS, CKM_SHA256,          CKM_SHA256_RSA_PKCS_PSS,
        CKM_SHA_1,           CKM_SHA512,          CKM_RSA_PKCS_KEY_PAIR_GEN,
        CKM_ECDSA,           CKM_RSA_X_509,       ~0UL,
        CKM_SHA384,
    };
    unsigned byte = input_byte(&calls->input);
    CK_MECHANISM mechanism = {.mechanism = types[byte & 0xF]};
    *pss = (CK_RSA_PKCS_PSS_PARAMS){CKM_SHA256, CKG_MGF1_SHA256, 32};
    bool wants =
        mechanism.mechanism == CKM_RSA_PKCS_PSS || mechanism.mechanism == CKM_SHA256_RSA_PKCS_PSS;
    if (wants != (byte >> 4 == 0xF)) {
        mechanism.pParameter = pss;
        mechanism.ulParameterLen = sizeof *pss;
    }
    if (byte >> 4 == 0xE)
        mechanism.ulParameterLen = 3;
    if (byte >> 4 == 0xD)
        mechanism.pParameter = NULL;
    if (byte >> 4 == 0xC)
        pss->sLen = 20;
    return mechanism;
}

/* ---- What must hold after each step ------------------------------------------------------ */

static bool equals_refused(const struct calls *calls, const struct attempt *attempt)
{
    return attempt->length == calls->refused_length[attempt->key] && attempt->length > 0 &&
           memcmp(attempt->pin, calls->refused[attempt->key], attempt->length) == 0;
}

/* Compares what the module returns for a PIN with the card's PIN. */
static void check_verdict(struct calls *calls, const struct pins *before, const char *name,
                          CK_RV rv)
{
    const struct attempt *attempt = &calls->attempt;
    struct pins now;
    pins_note(&now, calls->card);
    int left = before->tries[before->own[attempt->key]];
    bool spent = now.tries[now.own[attempt->key]] < left;
    bool right = pins_is_right(before, attempt);
    if (!calls->false_answers) {
        fuzz_promise(rv != CKR_PIN_INCORRECT || !right || left == 0,
                     "%s: the right PIN is called wrong", name);
        fuzz_promise(rv != CKR_PIN_LOCKED || left == 0 || (left == 1 && (spent || !right)) ||
                         (left == 1 && calls->keep_last_try),
                     "%s: a PIN with %d tries is called locked", name, left);
        fuzz_promise(rv != CKR_OK || right, "%s: a wrong PIN is accepted", name);
        fuzz_promise(!spent || !equals_refused(calls, attempt),
                     "%s: a try spent on a PIN just refused", name);
    }
    if (right) /* in any case the card may have accepted it */
        calls->refused_length[attempt->key] = 0;
    if (rv == CKR_PIN_INCORRECT && spent && attempt->length <= CALLS_PIN) {
        memcpy(calls->refused[attempt->key], attempt->pin, attempt->length);
        calls->refused_length[attempt->key] = attempt->length;
    }
}

/* When not logged in, no PIN may be verified at the card. */
static void check_locked(struct calls *calls, const char *name)
{
    bool logged_in[2] = {false, false};
    if (calls->disturbed || calls->false_answers)
        return;
    for (unsigned i = 0; i < CALLS_SESSIONS; i++) {
        CK_SESSION_INFO info;
        if (calls->sessions[i] != 0 && C_GetSessionInfo(calls->sessions[i], &info) == CKR_OK)
            logged_in[info.slotID & 1] |=
                info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS;
    }
    struct pins now;
    pins_note(&now, calls->card);
    for (int key = 0; key < JPKI_KEYS; key++)
        fuzz_promise(logged_in[key] || !now.verified[key],
                     "%s: not logged in, but PIN %d stays verified", name, key);
}

static const struct calls_step *find_step(unsigned number)
{
    static const struct calls_step *const tables[] = {calls_general, calls_objects,
                                                      calls_operations, calls_others};
    static const struct calls_step *all[256];
    static unsigned count;
    bool known = count > 0;
    for (size_t i = 0; !known && i < sizeof tables / sizeof tables[0]; i++)
        for (const struct calls_step *step = tables[i]; step->name != NULL; step++)
            all[count++] = step;
    return all[number % count];
}

static void take_step(struct calls *calls)
{
    const struct calls_step *step = find_step(input_byte(&calls->input));
    struct pins before;
    calls->attempt = (struct attempt){0};
    pins_note(&before, calls->card);
    CK_RV rv = step->run(calls);
    if (calls->trace)
        (void)fprintf(stderr, "%s: %#lx\n", step->name, rv);
    fuzz_promise(is_known_return_value(rv), "%s returned %#lx", step->name, rv);
    pins_check(&before, &calls->attempt, step->name);
    if (calls->attempt.pin != NULL)
        check_verdict(calls, &before, step->name, rv);
    free((void *)(uintptr_t)calls->attempt.pin);
    calls->attempt.pin = NULL;
    fuzz_promise(readers_counts().held == 0, "%s left a transaction open", step->name);
}

/* ---- One input -------------------------------------------------------------------------- */

static void begin(struct calls *calls)
{
    unsigned head = input_byte(&calls->input);
    readers_clear();
    vcard_rewind(calls->card);
    calls->reader = readers_plug("Reader of calls 00 00");
    readers_insert(calls->reader, calls->card);
    calls->keep_last_try = head & CALLS_KEEP_LAST_TRY;
    (void)snprintf(calls->options, sizeof calls->options,
                   "pin-cache=%s always-authenticate=%s keep-last-try=%s pss=%s %s",
                   head & CALLS_PIN_CACHE_NONE  ? "none"
                   : head & CALLS_PIN_CACHE_ALL ? "all"
                                                : "auth",
                   head & CALLS_ALWAYS_AUTHENTICATE ? "yes" : "no",
                   calls->keep_last_try ? "yes" : "no", head & CALLS_PSS_OFF ? "off" : "auto",
                   head & CALLS_LOG ? secrets_log_options() : "log=off");
    unsigned choices = input_byte(&calls->input) % (SWITCHES_MAX + 1);
    for (unsigned i = 0; i < choices; i++) {
        unsigned which = input_byte(&calls->input);
        calls->false_answers |= switches_choose(calls->card, which, input_byte(&calls->input));
    }
    calls->disturbed = calls->false_answers;
    if (head & CALLS_INITIALIZED) {
        CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK, .pReserved = calls->options};
        CK_ULONG count = 0;
        fuzz_promise(C_Initialize(&args) == CKR_OK, "C_Initialize");
        (void)C_GetSlotList(CK_FALSE, NULL, &count);
    }
}

static void finish(struct calls *calls)
{
    check_locked(calls, "in the end");
    CK_RV rv = C_Finalize(NULL);
    fuzz_promise(rv == CKR_OK || rv == CKR_CRYPTOKI_NOT_INITIALIZED, "C_Finalize");
    memset(calls->sessions, 0, sizeof calls->sessions);
    check_locked(calls, "C_Finalize");
    readers_clear();
    secrets_check_pages();
    static const char *const texts[] = {"1234",   "ABC123", "abc123",  "9075",
                                        "ZQX907", "8264",   "NEWPIN99"};
    secrets_check_log(texts, sizeof texts / sizeof texts[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct calls calls = {
        .input = {data, data + size}, .card = pins_card(), .trace = getenv("FUZZ_TRACE") != NULL};
    begin(&calls);
    for (unsigned i = 0; i < STEPS_MAX && !input_ended(&calls.input); i++)
        take_step(&calls);
    finish(&calls);
    return 0;
}
