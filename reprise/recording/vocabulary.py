"""The words that say nothing about anybody: those of the trade, of file formats, and of the peers' own APIs."""

from __future__ import annotations

import re
from functools import lru_cache

from worker.matching.vocabulary import (
    EDITION,
    EDITION_TAG,
    FORMAT_WORDS,
    KINDS,
    NO_TITLE,
    PLACES,
    SOUNDTRACK,
    VARIOUS,
    recordings,
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Formats, discs, rates, programs: kept wherever they stand.
TECHNICAL = _words(
    """
    aac aiff alac ape bmp cue dsd dsf flac gif jpeg jpg log m3u m3u8 m4a m4b mp3 mp4 mpc nfo ogg opus pdf png sfv
    tak txt wav webp wma wv zip rar cd cds cdda disc discs disk disks dvd lp sacd bit bits cbr hz kbit kbps kbs khz
    vbr http https www api lidarr slskd soulseek reprise servarr musicbrainz nzbget qbittorrent rtorrent sabnzbd
    sabnzbdplus torrent usenet utorrent webhook vorbis wavpack webhooks
    """
)

# The little words of titles and sentences.
SMALL = _words(
    "a an and at by de der die el feat featuring for from ft in la le les of on or pres the to und vs with y"
)

# These, and what is said of an edition, a format or a kind of recording: kept beside a name, never instead of one.
EDITIONS = SMALL.union(
    *(EDITION, EDITION_TAG, KINDS, SOUNDTRACK, FORMAT_WORDS, NO_TITLE),
    *map(str.split, VARIOUS),
    _words("albums bonus clean disco hits promo sampler side untitled vol volume vols part pt"),
) - _words("art artwork no tape television")

# Folders and files as everybody has them: kept where they are one.
EVERYBODYS = PLACES.union(NO_TITLE, *map(str.split, VARIOUS), ["bonus", "extra", "extras"])

# Field names, paths and messages of Lidarr, slskd and Reprise consist of these.
API = _words(
    """
    aborted about above absolute absolutely accept acceptable access accessible accurate acknowledge acknowledged
    acoust acoustid action add added adding additional address addresses admin advanced after afterwards again age
    agent agents air album albumrelease albums albumstudio alias all allow allowed already amount an analytics and
    announce any apikey app appdata appear appears application apply approved are aren arguments art artist artists
    as ascending ascii at attempt attempted attempting attempts attribute attributes audio authentication author
    auto automatic automatically autotagging available average awaiting backup backups bad ban banned base batch
    batches be because been before began begins begun below between bin bind bit bitrate blackhole blocked blocking
    blocklist body branch broadcast broken browse build bulk but by bypass bytes calculating calendar call called
    calls can canary cancel canceled cancelled cannot catalog category cause caused cert certificate cgnat change
    changed changes channels characters check child children chmod chown clean cleanup client clients close closed
    code codec collection colon color column command comment complete completed completion config configuration
    configured confirmation conflict connect connected connecting connection console content contents continuing
    contract controller copy core corrupt could couldn count country cover create created creating criteria critical
    cue current custom customfilter customformat cutoff data database date dates day days debug default delay
    delayprofile delete deleted deleting deluge denied depth descending description destination detail details dev
    develop development did didn directories directory disable disabled disambiguation disc discography discogs
    disconnect disconnected disk diskspace display distance distributed docker does doesn done download
    downloadclient downloaded downloading downloads drop dropped due duplicate duration during each edit edition
    editions editor elapsed eligible embed empty enable enabled end ended endpoint ends enough enqueue enqueued
    entered equal error errors estimated event events every exact examples exception excluded exclusion exclusive
    execute execution exist existing exists expand expected expires explicit extension external extra extracted fail
    failed failing failure failures fallback false faulted feed fetch few fewer field fields file filename files
    filesystem filter filters fingerprinting finish finished first fixed flac flag flags float flood folder folders
    for forbidden force forced foreign forever format formats formatted forms forwarded found free freshly from full
    genres get given grab grabbed grabbing greater group guid guids had handling happened hardlinks has hash hasn
    have haven hdcd header headers health help hi hidden high highest hint history host hostname hosts hour hours
    http ics id identifier ids if ignored ignoring illegal image images impaired implementation import imported
    importing importlist importlistexclusion in include incomplete incorrect index indexer indexerflag indexerflags
    indexers info initializing input install installable installed instance instrument interactive internal interval
    into invalid io ip ips is isn issue issued issues it item items its job key kind know known knows label language
    large larger last later latest launch least leechers length letter level library lidarr like limit link links
    linux list listen load loaded local localization location lock locked log logged logger logging login logout
    long longer lookup lossless lossy low lower magnet main management manual manualimport many mapped mapping
    mappings mass master match matched matches matching max maximum may mb mbid me means mechanism media mediacover
    mediafiles mediamanagement medium member members message messages met metadata metadataprofile metadataprovider
    method mid might migration min minimum minute minutes missing mode modified moment monitor monitored monitoring
    mono more most move moved moving ms much multi multiple music must name names naming native need needed needs
    negate net netcore network never new newer newest next nightly no node none normal not nothing notification
    notifications ntfs number numbers nzb object occurred of offline offset ok old older on once one online only
    open operation option options or order original orphaned os osname osx other out output overview own pack
    package page parent parse parsed parsing part partial password path paths peer peers pending per percent
    percentage perform permanent permission permissions ping place placeholder plan plans please point poor port
    position possible post poster postgre postgresql potentially prefer preferred presence present presets previous
    previously primary priority privacy private privileged privileges problem process processed processing
    production profile program progress propers properties property protocol provided provider proxy publish
    published push put q quality qualitydefinition qualityprofile query queue queued queueing raise rate rating
    ratings raw reached read reading reads ready real reason reasons receive received recently reconnect recording
    records recycle recycled redownload refresh refuse refused refuses reject rejected rejection rejections rejects
    relative relay release releaseprofile releases remaining remains remember remote remotely remotepathmapping
    remove removed rename renamed renaming reorder reordered repack repacks replace replaced replacement replayed
    report reports request requested required requires res rescan reset response responses restart restore restored
    restriction restrictions result results retag retagged retention retries retry retrying return returned revision
    room rooms root rootfolder routes rss rule running runtime same sample save saved scan scanned scanning scene
    scheduled schema scheme score script scrub search searched searches searching second secondary seconds section
    security see seed seeders seeding seems seen sees select send sending sent separator sequence serialized server
    service session set settings severity share shared shares short should shouldn show shown shutdown side signal
    similar since single size sizeleft skip skipped slashes slot slots small so socket soft some soon sort source
    space spaces specifications specified speed sqlite ssl stable stall stalled standard start started starting
    startup state statistics status statuses stereo still stop stopped string strings studio style sub subdirectory
    succeed succeeded success successful such supported supports suppress suspect switching sync system table tadb
    tag tags take taken task temporarily temporary term test testall text textbox than that the their them theme
    there these they this those through time timed timeleft timeout timestamp title titles to token too took torrent
    total track tracked tracker trackfile tracking tracks trailing transfer transferred transfers transition
    transitioning transmission trash tried trigger true trust try trying two type types ubuntu ui unable
    unauthorized unavailable under unexpected unit unknown unmapped unmatched unmonitor unmonitored unpack unpacked
    unparsable unspecified unsuccessful unsupported until unwanted update updated updates upgrade upload uploaded
    uploads uri url usage use used usenet user username users using valid validation value values variable version
    versions via vinyl vip visible volume votes vpn wait waiting wanted warning warnings was wasn watch watchdog way
    web webhooks week weight weights were when where which wiki will windows with within without won words work
    worker working would wouldn write writes writing written wrong xml year years yet you your zero
    """
)

_SHORTENED = re.compile(r"['\u2019](?:t|s|re|ve|ll|d)$")
_PIECES = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+|\d+")
_VERSION = re.compile(r"v\d{1,2}$")


@lru_cache(maxsize=65_536)
def of_the_trade(word: str) -> bool:
    """Whether a word, or each word of one written inCamelCase, belongs to an API."""
    word = _SHORTENED.sub("", word)
    if _VERSION.match(word) or word.lower() in API | TECHNICAL:
        return True
    pieces = _PIECES.findall(word)
    return len(pieces) > 1 and all(piece.lower() in API or piece.lower() in TECHNICAL for piece in pieces)


@lru_cache(maxsize=65_536)
def everybodys(word: str) -> bool:
    """Whether a folder may be called so anywhere: Music, Downloads, Various, Live."""
    return word.lower() in EVERYBODYS or bool(recordings((word.lower(),)))


@lru_cache(maxsize=65_536)
def ordinary(word: str) -> bool:
    """Whether a word says something of an edition, a format or another kind of recording (live, remixed, …)."""
    return word.lower() in EDITIONS or bool(recordings((word.lower(),)))


@lru_cache(maxsize=65_536)
def technical(token: str) -> bool:
    """Whether letters and digits together tell a format or a carrier: `MP3`, `CD1`, `24bit`, `V0`."""
    if token.lower() in TECHNICAL or token.lower() in ("v0", "v1", "v2"):
        return True
    pieces = _PIECES.findall(token)
    letters = [piece for piece in pieces if not piece.isdigit()]
    return len(pieces) > 1 and bool(letters) and all(piece.lower() in TECHNICAL for piece in letters)
