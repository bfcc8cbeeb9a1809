/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The signature command 80 2A (src/card/card.md, Sign). */
#include "card.h"

#include <openssl/rsa.h>
#include <openssl/x509.h>

#define SHA256_LEN  32
#define PSS_SALT    32
#define RAW_MAX     245 /* 2048-bit modulus less PKCS#1 v1.5 padding */
#define KEY_CURRENT 0x80

struct scheme {
    uint8_t p1;
    bool pss;
    bool digest_info; /* the card adds it; PSS needs the name of the hash, too */
    bool hashes;      /* the card hashes data first */
    size_t min, max;  /* bytes of data */
};

/* P1 00 to 05; 01 is not known. */
static const struct scheme schemes[] = {
    {0x00, false, false, false, 1, RAW_MAX}, {0x02, false, true, false, SHA256_LEN, SHA256_LEN},
    {0x03, false, true, true, 1, 255},       {0x04, true, true, false, SHA256_LEN, SHA256_LEN},
    {0x05, true, true, true, 1, 255},
};

static const struct scheme *find_scheme(const struct vcard *card, uint8_t p1)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
        bool refused = schemes[i].pss && !switch_on(&card->switches, SWITCH_PSS);
        if (schemes[i].p1 == p1 && !refused)
            return &schemes[i];
    }
    return NULL;
}

static bool load_key(struct vcard *card, struct ef *ef)
{
    if (ef->key != NULL)
        return true;
    if (card->crypto == NULL)
        card->crypto = OSSL_LIB_CTX_new();
    const uint8_t *der = ef->content;
    if (card->crypto != NULL)
        ef->key = d2i_AutoPrivateKey_ex(NULL, &der, (long)ef->content_len, card->crypto, NULL);
    return ef->key != NULL;
}

static bool set_scheme(struct vcard *card, EVP_PKEY_CTX *context, const struct scheme *scheme)
{
    if (EVP_PKEY_sign_init(context) <= 0)
        return false;
    int padding = scheme->pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
    if (EVP_PKEY_CTX_set_rsa_padding(context, padding) <= 0)
        return false;
    if (!scheme->digest_info)
        return true;
    EVP_MD *sha256 = EVP_MD_fetch(card->crypto, "SHA256", NULL);
    bool done = sha256 != NULL && EVP_PKEY_CTX_set_signature_md(context, sha256) > 0;
    if (done && scheme->pss)
        done = EVP_PKEY_CTX_set_rsa_mgf1_md(context, sha256) > 0 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(context, PSS_SALT) > 0;
    EVP_MD_free(sha256);
    return done;
}

static bool make_signature(struct vcard *card, EVP_PKEY *key, const struct scheme *scheme,
                           const struct apdu *apdu, struct answer *answer)
{
    uint8_t hash[SHA256_LEN];
    const uint8_t *data = apdu->data;
    size_t len = apdu->lc;
    if (scheme->hashes) {
        if (EVP_Q_digest(card->crypto, "SHA256", NULL, data, len, hash, NULL) != 1)
            return false;
        data = hash;
        len = sizeof(hash);
    }
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(card->crypto, key, NULL);
    answer->len = sizeof(answer->data);
    bool done = context != NULL && set_scheme(card, context, scheme) &&
                EVP_PKEY_sign(context, answer->data, &answer->len, data, len) > 0;
    EVP_PKEY_CTX_free(context);
    return done;
}

static void corrupt(struct vcard *card, struct answer *answer)
{
    if (switch_is(&card->switches, SWITCH_SIGN_CORRUPT, "off"))
        return;
    answer->data[answer->len / 2] ^= 0x10;
    if (switch_is(&card->switches, SWITCH_SIGN_CORRUPT, "next"))
        switches_put(&card->switches, SWITCH_SIGN_CORRUPT, "off");
}

static uint16_t check_parameters(const struct scheme *scheme, const struct apdu *apdu)
{
    if (scheme == NULL)
        return SW_WRONG_P1P2;
    return apdu->lc < scheme->min || apdu->lc > scheme->max ? SW_WRONG_LENGTH : SW_OK;
}

/* The key file that P2 names: 80 the current one, 80 + short EF identifier another. */
static uint16_t key_file(struct vcard *card, uint8_t p2, struct ef **ef)
{
    if ((p2 & ~SFI_MASK) != KEY_CURRENT)
        return SW_WRONG_P1P2;
    uint16_t sw = ef_by_sfi(card, p2 & SFI_MASK, SWITCH_SFI_SIGN, ef);
    if (sw == SW_OK && (*ef)->profile->kind != EF_KEY)
        return SW_WRONG_STRUCTURE;
    return sw;
}

/* A card may check its parameters before the PIN, or after it. */
static uint16_t check_command(struct vcard *card, const struct scheme *scheme,
                              const struct apdu *apdu, struct ef **key)
{
    bool pin_first = switch_on(&card->switches, SWITCH_SIGN_PIN_FIRST);
    uint16_t sw = pin_first ? SW_OK : check_parameters(scheme, apdu);
    if (sw == SW_OK)
        sw = key_file(card, apdu->p2, key);
    if (sw == SW_OK && !ef_open(card, *key))
        sw = SW_SECURITY_STATUS;
    if (sw == SW_OK && pin_first)
        sw = check_parameters(scheme, apdu);
    return sw;
}

uint16_t command_sign(struct vcard *card, const struct apdu *apdu, struct answer *answer)
{
    const struct scheme *scheme = find_scheme(card, apdu->p1);
    struct ef *key = NULL;
    uint16_t sw = check_command(card, scheme, apdu, &key);
    if (sw != SW_OK)
        return sw;
    if (!load_key(card, key))
        return SW_FAILURE;
    if (!EVP_PKEY_is_a(key->key, "RSA")) /* every P1 that is known is for RSA keys */
        return SW_WRONG_P1P2;
    size_t size = (size_t)EVP_PKEY_get_size(key->key);
    if (apdu->ne != 0 && apdu->ne < size)
        return exact_le(card) ? (uint16_t)(SW_WRONG_LE | (size & 0xFF)) : SW_WRONG_LENGTH;
    if (!make_signature(card, key->key, scheme, apdu, answer)) {
        answer->len = 0;
        return SW_FAILURE;
    }
    card->counters.signatures++;
    corrupt(card, answer);
    if (switch_on(&card->switches, SWITCH_SIGN_PIN_EACH) && key->profile->guard != 0)
        ef_find(card->current, key->profile->guard)->pin.verified = false;
    return SW_OK;
}
