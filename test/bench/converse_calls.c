/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines of a file as calls of the module. */
#include "converse.h"

#include <stdlib.h>
#include <string.h>

enum { LINE = 256, WORDS = 12, NAMES = 16, NAME = 16, FOUND = 64, VALUE = 4096 };

/* Something that a line has given a name. */
struct named {
    char name[NAME];
    CK_ULONG handle;
    CK_ULONG slot; /* of a session */
};

static struct named sessions[NAMES], objects[NAMES];
static CK_SLOT_ID slots[P11_SLOTS];
static CK_OBJECT_HANDLE found[FOUND];
static CK_ULONG found_count;

/* NULL: not this one. */
static struct named *find_named(struct named *table, const char *name)
{
    for (int i = 0; i < NAMES; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

static void give_name(struct named *table, const char *name, CK_ULONG handle, CK_ULONG slot)
{
    struct named *place = find_named(table, name);
    if (place == NULL)
        place = find_named(table, "");
    EXPECT(place != NULL, "too many names");
    (void)snprintf(place->name, sizeof place->name, "%s", name);
    place->handle = handle;
    place->slot = slot;
}

static const struct named *session(const char *name)
{
    const struct named *found_session = find_named(sessions, name);
    EXPECT(found_session != NULL, "no session %s", name);
    return found_session;
}

static CK_ULONG number(const char *word)
{
    CK_ULONG value = strtoul(word, NULL, 10);
    EXPECT(value < P11_SLOTS, "slot %s", word);
    return value;
}

/* ---- Slots and sessions ------------------------------------------------------------------ */

static void do_options(char **words)
{
    (void)setenv("JPKI_PKCS11_OPTIONS", words[1], 1);
}

static void do_initialize(char **words)
{
    (void)words;
    OK(p11_try_initialize(NULL));
}

static void do_finalize(char **words)
{
    (void)words;
    OK(p11->C_Finalize(NULL));
}

static void do_slots(char **words)
{
    CK_BBOOL present = strcmp(words[1], "present") == 0;
    CK_ULONG count = 0;
    OK(p11->C_GetSlotList(present, NULL, &count));
    EXPECT(count > 0 && count <= P11_SLOTS, "%lu slots", count);
    OK(p11->C_GetSlotList(present, slots, &count));
}

static void do_slot_info(char **words)
{
    CK_SLOT_INFO info;
    OK(p11->C_GetSlotInfo(slots[number(words[1])], &info));
}

static void do_token_info(char **words)
{
    CK_TOKEN_INFO info;
    OK(p11->C_GetTokenInfo(slots[number(words[1])], &info));
}

static void do_mechanisms(char **words)
{
    CK_SLOT_ID slot = slots[number(words[1])];
    CK_MECHANISM_TYPE list[128];
    CK_ULONG count = 0;
    OK(p11->C_GetMechanismList(slot, NULL, &count));
    EXPECT(count <= 128, "%lu mechanisms", count);
    OK(p11->C_GetMechanismList(slot, list, &count));
}

static void do_open(char **words)
{
    CK_ULONG slot = number(words[2]);
    give_name(sessions, words[1], p11_open(slots[slot]), slot);
}

static void do_close(char **words)
{
    OK(p11->C_CloseSession(session(words[1])->handle));
}

static void do_session_info(char **words)
{
    CK_SESSION_INFO info;
    OK(p11->C_GetSessionInfo(session(words[1])->handle, &info));
}

static void do_login(char **words)
{
    const struct named *where = session(words[1]);
    OK(p11_try_login(where->handle, where->slot == 0 ? AUTH_PIN : SIGN_PIN));
}

/* ---- Objects ----------------------------------------------------------------------------- */

/* Whatever it answers: a module need not know all attributes. */
static void get(CK_SESSION_HANDLE in, CK_OBJECT_HANDLE object, const CK_ATTRIBUTE_TYPE *types,
                CK_ULONG count, CK_ATTRIBUTE *values)
{
    static CK_BYTE room[ATTRIBUTES_MAX][VALUE];
    for (CK_ULONG i = 0; i < count; i++)
        values[i] = (CK_ATTRIBUTE){types[i], NULL, 0};
    (void)p11->C_GetAttributeValue(in, object, values, count);
    for (CK_ULONG i = 0; i < count; i++)
        values[i] = (CK_ATTRIBUTE){types[i], room[i], VALUE};
    (void)p11->C_GetAttributeValue(in, object, values, count);
}

static void do_get(char **words)
{
    CK_ATTRIBUTE_TYPE types[ATTRIBUTES_MAX];
    CK_ATTRIBUTE values[ATTRIBUTES_MAX];
    const struct named *object = find_named(objects, words[2]);
    CK_ULONG count = attributes_named(words[3], types);
    if (object != NULL)
        get(session(words[1])->handle, object->handle, types, count, values);
}

static void do_each(char **words)
{
    CK_SESSION_HANDLE in = session(words[1])->handle;
    CK_ATTRIBUTE_TYPE types[ATTRIBUTES_MAX];
    CK_ULONG count = attributes_named(words[3], types);
    for (CK_ULONG i = 0; i < found_count; i++) {
        CK_OBJECT_CLASS class = 0;
        CK_ATTRIBUTE kind = {CKA_CLASS, &class, sizeof class}, values[ATTRIBUTES_MAX];
        OK(p11->C_GetAttributeValue(in, found[i], &kind, 1));
        if (class == class_named(words[2]))
            get(in, found[i], types, count, values);
    }
}

/* One word of a search. False: it names an object that there is not. */
static bool want(CK_SESSION_HANDLE in, char *word, CK_ATTRIBUTE *wanted, CK_BYTE *room)
{
    char *value = strchr(word, '=');
    if (value != NULL)
        *value++ = '\0';
    *wanted = (CK_ATTRIBUTE){attribute_named(word), room, 1};
    room[0] = CK_TRUE; /* a flag */
    if (value == NULL)
        return true;
    if (strcmp(word, "class") == 0) {
        CK_OBJECT_CLASS class = class_named(value);
        wanted->ulValueLen = sizeof class;
        return memcpy(room, &class, sizeof class) != NULL;
    }
    const struct named *object = find_named(objects, value);
    if (object != NULL) {
        *wanted = (CK_ATTRIBUTE){wanted->type, room, VALUE};
        return p11->C_GetAttributeValue(in, object->handle, wanted, 1) == CKR_OK;
    }
    room[0] = (CK_BYTE)strtoul(value, NULL, 16);
    return value[0] >= '0' && value[0] <= '9';
}

static void do_find(char **words)
{
    static CK_BYTE room[WORDS][VALUE];
    CK_SESSION_HANDLE in = session(words[1])->handle;
    CK_ATTRIBUTE wanted[WORDS];
    CK_ULONG count = 0, more = 1;
    char **word = words + 2;
    for (; *word != NULL && strcmp(*word, ">") != 0; word++, count++)
        if (!want(in, *word, &wanted[count], room[count]))
            return;
    OK(p11->C_FindObjectsInit(in, wanted, count));
    for (found_count = 0; more > 0 && found_count < FOUND; found_count += more)
        OK(p11->C_FindObjects(in, found + found_count, 1, &more));
    OK(p11->C_FindObjectsFinal(in));
    for (CK_ULONG i = 0; *word != NULL && word[1] != NULL && i < found_count; i++)
        give_name(objects, *++word, found[i], 0);
}

/* ---- Signing ----------------------------------------------------------------------------- */

/* CKR_MECHANISM_INVALID where the module does not know PSS. */
static CK_RV sign(CK_SESSION_HANDLE in, CK_OBJECT_HANDLE key, CK_MECHANISM *mechanism,
                  CK_ULONG length)
{
    CK_BYTE data[51] = {0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                        0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
    CK_BYTE signature[2 * P11_SIGNATURE];
    CK_ULONG room = sizeof signature;
    CK_RV rv = p11->C_SignInit(in, mechanism, key);
    if (rv == CKR_OK)
        OK(p11->C_Sign(in, data, length, signature, &room));
    return rv;
}

static void do_sign(char **words)
{
    CK_RSA_PKCS_PSS_PARAMS parameters = {CKM_SHA256, CKG_MGF1_SHA256, 32};
    CK_MECHANISM pss = {CKM_RSA_PKCS_PSS, &parameters, sizeof parameters};
    CK_MECHANISM sha256 = {CKM_SHA256_RSA_PKCS, NULL, 0}, pkcs1 = {CKM_RSA_PKCS, NULL, 0};
    CK_SESSION_HANDLE in = session(words[1])->handle;
    const struct named *key = find_named(objects, words[2]);
    EXPECT(key != NULL, "no key %s", words[2]);
    if (strcmp(words[3], "pss") == 0 && sign(in, key->handle, &pss, 32) == CKR_OK)
        return;
    /* Without PSS the same server gets PKCS #1, in TLS 1.2. */
    OK(sign(in, key->handle, strcmp(words[3], "sha256") == 0 ? &sha256 : &pkcs1, 51));
}

static void do_from_here(char **words)
{
    (void)words;
    (void)card_command(0, "reset-counters");
}

/* ---- Lines ------------------------------------------------------------------------------- */

static const struct {
    const char *verb;
    int words; /* with the verb, at least */
    void (*run)(char **words);
} verbs[] = {
    {"options", 2, do_options},
    {"initialize", 1, do_initialize},
    {"finalize", 1, do_finalize},
    {"slots", 2, do_slots},
    {"slot-info", 2, do_slot_info},
    {"token-info", 2, do_token_info},
    {"mechanisms", 2, do_mechanisms},
    {"open", 3, do_open},
    {"close", 2, do_close},
    {"session-info", 2, do_session_info},
    {"login", 2, do_login},
    {"find", 2, do_find},
    {"get", 4, do_get},
    {"each", 4, do_each},
    {"sign", 4, do_sign},
    {"from-here", 1, do_from_here},
};

static void do_line(char *line)
{
    char *words[WORDS + 1] = {NULL}, *rest;
    int count = 0;
    for (char *word = strtok_r(line, " \n", &rest); word != NULL && count < WORDS;
         word = strtok_r(NULL, " \n", &rest))
        words[count++] = word;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verbs[i].verb, words[0]) == 0 && count >= verbs[i].words) {
            verbs[i].run(words);
            return;
        }
    }
    EXPECT(false, "line: %s", words[0]);
}

void make_calls(FILE *calls, bool trace)
{
    char line[LINE], shown[LINE];
    while (fgets(line, sizeof line, calls) != NULL) {
        if (line[0] == '#')
            continue;
        memcpy(shown, line, sizeof shown);
        do_line(line);
        if (trace)
            fprintf(stderr, "%3ld  %s", card_counter(0, "commands"), shown);
    }
}
