"""The words that people put beside names into folder and file names."""

from __future__ import annotations

import re
from collections.abc import Sequence


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


# How the files were made; it says nothing about whose they are.
FORMAT_WORDS = _listed(
    """flac mp3 mp3s m4a aac alac ape wv wavpack wav wave aiff aif ogg opus vorbis wma dsd sacd lossless lossy cbr
    vbr abr v0 v1 v2 320k 320kbps 256k 256kbps 224kbps 192k 192kbps 160kbps 128k 128kbps kbps kbs kbit 16bit 24bit
    16b 24b 32bit bit bits khz hz 44khz 48khz 88khz 96khz 176khz 192khz 441khz 882khz 1khz 2khz hi res hires hd hq
    rip rips ripped webrip cdrip vinylrip eac xld log logs cue cues scan scans cover covers art artwork booklet
    tags tagged web webflac cd cds cdr 2cd 3cd 4cd 5cd 6cd cdda 2xcd 3xcd lp lps 2lp 3lp 4lp 2xlp 3xlp vinyl tape
    cassette download hdtracks qobuz tidal deezer itunes amazon bandcamp spotify beatport 180g 200g 180gram gram
    pbthal mfsl mofi uhqcd shm shmcd xrcd hdcd lpcm dvda retail proper repack readnfo advance digital media dolby
    atmos multichannel stereo mono files audio q5 q8 q10 256 320 lame"""
)
# Numbers that stand for bits, kHz and kbit/s.
FORMAT_NUMBERS = _listed("16 24 32 44 441 48 88 882 96 176 1764 192 320 256 224 160 128 44100 48000 88200 96000 192000")
# Which edition of an album it is; any release of the group will do.
EDITION = _listed(
    """deluxe edition editions expanded extended remaster remastered remasters remastering rm anniversary aniversary
    limited special bonus reissue reissued issue legacy collector collectors super version explicit clean original
    originals japan japanese jp us usa uk eu europe european germany german france canada australia import pressing
    press promo digipak digipack mini disc discs disk disks track tracks international exclusive standard regular
    full album lp release rerelease edicion edizione ausgabe 1st 2nd 3rd tour mix set"""
)
# In brackets they make an edition of whatever else stands there.
EDITION_TAG = _listed(
    """deluxe edition expanded remaster remastered remasters reissue reissued anniversary limited bonus press pressing
    import japanese japan promo digipak exclusive"""
)
# Said of soundtracks, which are called by the film's name.
SOUNDTRACK = _listed("original motion picture soundtrack soundtracks ost score film movie music game series television")
CONNECTIVES = _listed("the a an and of by from with in on for to at feat ft featuring presents vs")
# Another kind of publication; a complete list of tracks excuses it, names alone don't.
KINDS = _listed(
    """ep eps single singles cds cdm cdep maxi maxisingle best greatest hits essential anthology collection compilation
    compilations rarities rare bsides unreleased selection selections discography discografia discographie mixtape
    complete collected highlights 12inch 7inch box boxset"""
)
# Of these, the ones an album of few tracks may be called.
SHORT_KINDS = _listed("ep single cds cdm cdep maxi maxisingle 12inch 7inch")
# Folders that hold music of many artists: their names claim none.
PLACES = _listed(
    """music musik musica musique muziek my mymusic download downloads downloaded complete completed done share
    shared sharing shares soulseek slsk slskd seeker nicotine library lib archive archives albums album artists
    artist bands various misc new old incoming sorted unsorted data storage disk drive hdd usb nas volumes mnt
    home users user public documents torrents torrent lidarr beets plex jellyfin rock pop jazz metal classical
    classic classics klassik blues folk country hip hop hiphop rap electronic electronica techno house ambient
    indie alternative alt punk hardcore reggae soul funk rnb disco world soundtrack soundtracks ost dance trance
    dnb drum bass dub dubstep industrial goth gothic grunge prog progressive psych psychedelic kpop jpop jrock idm
    experimental noise lounge latin international studio main years decade 60s 70s 80s 90s 00s 10s 1960s 1970s
    1980s 1990s 2000s 2010s 2020s favorites favourites all singles eps collection collections compilations live
    discography discographies m music1 music2 root srv volume1"""
)
VARIOUS = frozenset(
    {"various artists", "various artist", "various", "va", "v a", "varios artistas", "varios", "diverse"}
)
# Words by which nothing in particular is found.
UNSPECIFIC = _listed(
    """the a an and of in on at to for from with by live greatest hits best very essential collection singles album
    ep vol volume pt part untitled self titled music songs anthology ultimate gold remixes demo demos soundtrack
    original motion picture various artists va"""
)
NO_TITLE = _listed("track tracks titel title untitled piste pista audiotrack traccia unknown no name")
YEAR = re.compile(r"(?:19[0-9]|20[0-4])[0-9]", re.ASCII)
ORDINAL = re.compile(r"[0-9]{1,3}(?:st|nd|rd|th)", re.ASCII)
CATALOGUE = re.compile(r"(?=[a-z]*[0-9])(?=[0-9]*[a-z])[a-z0-9]{4,}", re.ASCII)

# Words that make it another recording; where the wanted names use one of a kind, all of that kind are excused.
_RECORDINGS = {
    "live": "live unplugged concert concerts bootleg bootlegs soundboard sbd konzert concierto vivo livealbum",
    "acoustic": "acoustic unplugged akustik stripped",
    "remix": "remix remixes remixed rmx rmxs remixs mixes megamix rework reworks reworked redux",
    "karaoke": "karaoke playback singalong",
    "instrumental": "instrumental instrumentals",
    "cover": "tribute tributes tributo hommage homage covered karaoke",
    "demo": "demo demos rehearsal rehearsals outtakes outtake sessions",
    "altered": "nightcore slowed reverb chopped screwed mashup mashups 8bit chiptune lullaby lullabies sped rerecorded",
    "spoken": "acapella acappella acapellas commentary interview interviews audiobook",
    "piece": "multitrack multitracks stems incomplete missing snippets",
}
_PHRASES = {
    "live": ("in concert", "en concert", "en vivo", "en directo", "ao vivo", "live at", "live in", "dal vivo"),
    "cover": (
        *("string quartet", "made famous", "style of", "performed by", "covers of", "covered by", "piano versions"),
        *("plays the music", "plays the songs", "salute to"),
    ),
    "altered": ("re recorded", "re recording", "taylors version", "8 bit", "music box"),
    "spoken": ("a cappella", "a capella"),
    "karaoke": ("backing track", "backing tracks", "minus 1"),
}
_OF_WORD: dict[str, frozenset[str]] = {
    word: frozenset(kind for kind, listed in _RECORDINGS.items() if word in listed.split())
    for words in _RECORDINGS.values()
    for word in words.split()
}
_OF_PHRASE = {phrase: kind for kind, phrases in _PHRASES.items() for phrase in phrases}
_FIRST_OF_PHRASE = frozenset(phrase.split()[0] for phrase in _OF_PHRASE)


def recordings(words: Sequence[str]) -> frozenset[str]:
    """Which other recordings these words speak of: "live", "karaoke", …"""
    found: set[str] = set()
    for index, word in enumerate(words):
        if word in _OF_WORD:
            found |= _OF_WORD[word]
        if word in _FIRST_OF_PHRASE:
            after = " ".join(words[index : index + 4])
            found |= {kind for phrase, kind in _OF_PHRASE.items() if f"{after} ".startswith(f"{phrase} ")}
    return frozenset(found)
