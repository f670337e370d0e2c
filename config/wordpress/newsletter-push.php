<?php
/**
 * Plugin Name: Newsletter push
 * Description: Pushes each post with the mark of verification to the newsletter service, the moment it is published or changed, and has it held there when it is taken down.
 * Version: 1.0.0
 * Requires at least: 5.6
 * Requires PHP: 7.4
 *
 * One file for wp-content/mu-plugins. It is set up in wp-config.php, so that the token stands in no database:
 *
 *   define('NEWSLETTER_PUSH_URL', 'https://console.example.com');   // the console's address
 *   define('NEWSLETTER_PUSH_TOKEN', 'nl_…');                        // of the scope briefs:write
 *   define('NEWSLETTER_PUSH_NEWSLETTER', 'technology');             // its slug
 *   define('NEWSLETTER_PUSH_PILLAR', 'Technology');                 // as the newsletter's file names it
 *
 * What happens to a post only queues an event of WP-Cron; the event looks at the post as it is by then,
 * and asks. So no editor ever waits for the service, and a request that is asked twice changes nothing.
 */

if (!defined('ABSPATH')) {
    exit;
}

/** Seconds until a request that failed for the moment is asked again; a day in all. */
const NEWSLETTER_PUSH_WAITS = [60, 300, 900, 3600, 10800, 21600, 43200];
const NEWSLETTER_PUSH_TIMEOUT = 15;
/** Custom fields that are sent as they are, and whose change is a change of the brief. */
const NEWSLETTER_PUSH_FIELDS = [
    'verification', 'importance', 'minutes', 'source', 'source_url', 'why', 'short', 'line', 'unconfirmed',
];
/** How the field `verification` says that a post may be printed, in any case, and the API's word for it. */
const NEWSLETTER_PUSH_MARKS = [
    'verified' => 'verified', 'partial' => 'partial', 'partially verified' => 'partial',
    'partly verified' => 'partial', 'verified in part' => 'partial',
];

// What is known of a post is kept beside it, in fields that no editor shows.
const NEWSLETTER_PUSH_BRIEF = '_newsletter_push_brief';   // the brief's number in the service
const NEWSLETTER_PUSH_SENT = '_newsletter_push_sent';     // a digest of what was sent last; empty: it is held
const NEWSLETTER_PUSH_COUNT = '_newsletter_push_count';   // of requests that were answered: keys differ by it
const NEWSLETTER_PUSH_RULING = '_newsletter_push_ruling'; // what the gate said: accepted, or held and why
const NEWSLETTER_PUSH_ERROR = '_newsletter_push_error';   // why the last request failed; absent: it did not

add_action('wp_after_insert_post', 'newsletter_push_queue', 20, 1);
add_action('transition_post_status', function ($new, $old, $post) {
    if ($new !== $old) {
        newsletter_push_queue($post->ID);
    }
}, 20, 3);
foreach (['added_post_meta', 'updated_post_meta', 'deleted_post_meta'] as $hook) {
    add_action($hook, function ($ids, $post_id, $name) {
        if (in_array($name, NEWSLETTER_PUSH_FIELDS, true)) {
            newsletter_push_queue($post_id);
        }
    }, 20, 3);
}
add_action('before_delete_post', function ($post_id) {
    if ($brief = get_post_meta($post_id, NEWSLETTER_PUSH_BRIEF, true)) {
        newsletter_push_schedule('newsletter_push_hold', [(int) $post_id, (int) $brief, 0], 0);
    }
});
add_action('newsletter_push_send', 'newsletter_push_send', 10, 2);
add_action('newsletter_push_hold', 'newsletter_push_hold', 10, 3);
add_action('admin_notices', 'newsletter_push_notices');

/** Queue a look at a post: what is to be done about it is decided then, not now. */
function newsletter_push_queue($post_id)
{
    $post = get_post($post_id);
    if (!$post || wp_is_post_revision($post) || wp_is_post_autosave($post)) {
        return;
    }
    if (newsletter_push_is_wanted($post) || get_post_meta($post->ID, NEWSLETTER_PUSH_SENT, true)) {
        newsletter_push_schedule('newsletter_push_send', [(int) $post->ID, 0], 0);
    }
}

function newsletter_push_schedule($hook, $arguments, $wait)
{
    if (!wp_next_scheduled($hook, $arguments)) {
        wp_schedule_single_event(time() + $wait, $hook, $arguments);
    }
    if ($wait === 0 && !(defined('DISABLE_WP_CRON') && DISABLE_WP_CRON)) {
        spawn_cron();  // now, and not at the next visit; it waits for nothing
    }
}

function newsletter_push_field($post_id, $name)
{
    $value = get_post_meta($post_id, $name, true);
    return is_scalar($value) ? trim((string) $value) : '';
}

/** Whether everybody may read the post, and it says that it is verified. */
function newsletter_push_is_wanted($post)
{
    $wanted = $post->post_type === 'post' && $post->post_status === 'publish' && $post->post_password === ''
        && newsletter_push_mark($post->ID) !== '';
    return (bool) apply_filters('newsletter_push_is_wanted', $wanted, $post);
}

/** The post's mark as the API says it; empty if it has none with which it may be printed. */
function newsletter_push_mark($post_id)
{
    $said = strtolower(str_replace(['-', '_'], ' ', newsletter_push_field($post_id, 'verification')));
    return NEWSLETTER_PUSH_MARKS[$said] ?? '';
}

/** Send a post as it is now, or have its brief held if it is not to be printed any more. */
function newsletter_push_send($post_id, $attempt)
{
    $post = get_post($post_id);
    if (!$post) {
        return;
    }
    $answer = newsletter_push_is_wanted($post) ? newsletter_push_brief($post) : newsletter_push_taken_down($post);
    if ($answer) {
        newsletter_push_record($post_id, $answer, 'newsletter_push_send', [(int) $post_id], $attempt);
    }
}

/** Send a post's brief; null if the service has just this. */
function newsletter_push_brief($post)
{
    $body = newsletter_push_body($post);
    $digest = hash('sha256', $body);
    if (get_post_meta($post->ID, NEWSLETTER_PUSH_SENT, true) === $digest) {
        return null;
    }
    $count = (int) get_post_meta($post->ID, NEWSLETTER_PUSH_COUNT, true);
    $answer = newsletter_push_ask('/api/v1/briefs', $body, "post-$post->ID-$count-" . substr($digest, 0, 24));
    if ($answer['error'] !== '') {
        return $answer;
    }
    $receipt = newsletter_push_receipt($answer['body']);
    if (!$receipt) {
        return array_merge($answer, ['error' => 'its answer could not be read']);
    }
    newsletter_push_remember($post->ID, $digest, $receipt['ruling']);
    update_post_meta($post->ID, NEWSLETTER_PUSH_BRIEF, $receipt['brief']);
    return $answer;
}

/** Have the brief held of a post that is not to be printed any more; null if it is already. */
function newsletter_push_taken_down($post)
{
    $brief = (int) get_post_meta($post->ID, NEWSLETTER_PUSH_BRIEF, true);
    if (!$brief || !get_post_meta($post->ID, NEWSLETTER_PUSH_SENT, true)) {
        return null;
    }
    $count = (int) get_post_meta($post->ID, NEWSLETTER_PUSH_COUNT, true);
    $answer = newsletter_push_ask_to_hold($brief, 'its post was taken down', "hold-$post->ID-$count");
    if ($answer['error'] === '') {
        newsletter_push_remember($post->ID, '', 'held, because the post was taken down');
    }
    return $answer;
}

/** Have the brief held of a post that was deleted for good. */
function newsletter_push_hold($post_id, $brief, $attempt)
{
    if (!get_post($post_id)) {
        $answer = newsletter_push_ask_to_hold($brief, 'its post was deleted', "deleted-$post_id");
        newsletter_push_record($post_id, $answer, 'newsletter_push_hold', [(int) $post_id, (int) $brief], $attempt);
    }
}

function newsletter_push_ask_to_hold($brief, $because, $key)
{
    $body = wp_json_encode(['because' => $because], 0);
    $answer = newsletter_push_ask("/api/v1/briefs/$brief/hold", $body, $key);
    if ($answer['status'] === 404) {
        $answer['error'] = '';  // it is not there, which is what was asked for
    }
    return $answer;
}

function newsletter_push_remember($post_id, $digest, $ruling)
{
    update_post_meta($post_id, NEWSLETTER_PUSH_SENT, $digest);
    update_post_meta($post_id, NEWSLETTER_PUSH_RULING, $ruling);
    update_post_meta($post_id, NEWSLETTER_PUSH_COUNT, 1 + (int) get_post_meta($post_id, NEWSLETTER_PUSH_COUNT, true));
}

/** Record what came of a request, and ask again later if it failed for the moment. */
function newsletter_push_record($post_id, $answer, $hook, $arguments, $attempt)
{
    if ($answer['error'] === '') {
        delete_post_meta($post_id, NEWSLETTER_PUSH_ERROR);
        return;
    }
    $again = $answer['again'] && isset(NEWSLETTER_PUSH_WAITS[$attempt]);
    if ($again) {
        $wait = min(max(NEWSLETTER_PUSH_WAITS[$attempt], $answer['wait']), DAY_IN_SECONDS);
        newsletter_push_schedule($hook, array_merge($arguments, [$attempt + 1]), $wait);
    }
    if (get_post($post_id)) {
        $then = $again ? ' It is tried again by itself.' : ' It is not tried again until the post is saved.';
        update_post_meta($post_id, NEWSLETTER_PUSH_ERROR, ucfirst($answer['error']) . '.' . $then);
    }
}

/** The request's body: one brief, under the names and in the types of the API's `GivenBrief`. */
function newsletter_push_body($post)
{
    $texts = newsletter_push_texts($post);
    $brief = [
        'key' => newsletter_push_constant('NEWSLETTER_PUSH_NEWSLETTER') . '/'
            . (newsletter_push_constant('NEWSLETTER_PUSH_SOURCE') ?: 'wordpress') . '/' . $post->ID,
        'title' => newsletter_push_plain($post->post_title),
        'pillar' => newsletter_push_constant('NEWSLETTER_PUSH_PILLAR'),
        'published' => get_post_time('Y-m-d\TH:i:s\Z', true, $post),
        'summary' => (string) array_shift($texts),
        'body' => array_values($texts),
        'topics' => array_values(array_diff(
            wp_list_pluck(get_the_category($post->ID), 'slug'),
            ['uncategorized']
        )),
    ];
    foreach (NEWSLETTER_PUSH_FIELDS as $name) {
        $brief[$name] = newsletter_push_field($post->ID, $name);
    }
    $brief['verification'] = newsletter_push_mark($post->ID);
    $brief['importance'] = newsletter_push_importance($brief['importance']);
    if (ctype_digit($brief['minutes'])) {  // whatever else it is, the service says what is wrong with it
        $brief['minutes'] = (int) $brief['minutes'];
    }
    if ($brief['source_url'] === '') {  // it is the site's own story
        $brief['source_url'] = get_permalink($post);
        $brief['source'] = $brief['source'] ?: newsletter_push_plain(get_bloginfo('name'));
    }
    $brief += newsletter_push_picture($post);
    $brief = array_filter(apply_filters('newsletter_push_brief', $brief, $post), function ($value) {
        return $value !== '' && $value !== [];
    });
    return wp_json_encode($brief, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
}

/** `High`, `medium` and `l` as H, M and L; anything else as it is, for the service to refuse. */
function newsletter_push_importance($said)
{
    $letter = strtoupper(substr($said, 0, 1));
    return in_array(strtolower($said), ['h', 'high', 'm', 'medium', 'l', 'low'], true) ? $letter : $said;
}

/** The paragraphs of a post as plain text, its excerpt first if it has one. */
function newsletter_push_texts($post)
{
    $html = wpautop(excerpt_remove_blocks(strip_shortcodes($post->post_content)));
    preg_match_all('#<p\b[^>]*>(.*?)</p>#is', $html, $found);
    return array_values(array_filter(array_map('newsletter_push_plain', array_merge(
        [$post->post_excerpt],
        $found[1]
    )), 'strlen'));
}

function newsletter_push_plain($html)
{
    $text = html_entity_decode(wp_strip_all_tags((string) $html), ENT_QUOTES | ENT_HTML5, 'UTF-8');
    return trim(preg_replace('/\s+/u', ' ', $text) ?? $text);
}

/** The post's picture, if it is of https and says what it shows: without a text the brief would be held. */
function newsletter_push_picture($post)
{
    $id = get_post_thumbnail_id($post);
    $file = $id ? wp_get_attachment_image_src($id, 'full') : false;
    $alt = $id ? trim((string) get_post_meta($id, '_wp_attachment_image_alt', true)) : '';
    if (!$file || $alt === '' || strpos($file[0], 'https://') !== 0) {
        return [];
    }
    return ['picture' => $file[0], 'picture_alt' => $alt, 'picture_width' => (int) $file[1]];
}

/** The brief's number, by which it is held, and the gate's ruling, from the one receipt; empty if there is none. */
function newsletter_push_receipt($body)
{
    $receipt = json_decode($body, true)['data'][0] ?? null;
    $brief = (int) ($receipt['brief']['id'] ?? 0);
    if (!$brief) {
        return [];
    }
    $reasons = implode(' ', array_filter((array) ($receipt['brief']['reasons'] ?? []), 'is_string'));
    return ['brief' => $brief, 'ruling' => $receipt['status'] . ($reasons === '' ? '' : ": $reasons")];
}

/** Ask the service; `error` is empty if it did what was asked. No sentence holds the token. */
function newsletter_push_ask($path, $body, $key)
{
    $answer = ['status' => 0, 'body' => '', 'error' => '', 'again' => false, 'wait' => 0];
    if ($fault = newsletter_push_fault()) {
        return array_merge($answer, ['error' => $fault]);
    }
    $asked = wp_remote_post(rtrim(newsletter_push_constant('NEWSLETTER_PUSH_URL'), '/') . $path, [
        'timeout' => NEWSLETTER_PUSH_TIMEOUT,
        'redirection' => 0,  // the token is for that address alone
        'headers' => [
            'Authorization' => 'Bearer ' . newsletter_push_constant('NEWSLETTER_PUSH_TOKEN'),
            'Content-Type' => 'application/json',
            'Accept' => 'application/json, application/problem+json',
            'Idempotency-Key' => '"' . $key . '"',
        ],
        'body' => $body,
    ]);
    if (is_wp_error($asked)) {
        return array_merge($answer, ['error' => 'no answer: ' . $asked->get_error_message(), 'again' => true]);
    }
    $answer['status'] = (int) wp_remote_retrieve_response_code($asked);
    $answer['body'] = (string) wp_remote_retrieve_body($asked);
    $answer['wait'] = (int) wp_remote_retrieve_header($asked, 'retry-after');
    if ($answer['status'] < 200 || $answer['status'] > 299) {
        $answer['again'] = $answer['status'] >= 500 || in_array($answer['status'], [408, 409, 429], true);
        $answer['error'] = newsletter_push_problem($answer['status'], $answer['body']);
    }
    return $answer;
}

/** What a problem (RFC 9457) says, in one sentence. */
function newsletter_push_problem($status, $body)
{
    $problem = json_decode($body, true);
    $said = is_array($problem) ? [(string) ($problem['detail'] ?? $problem['title'] ?? '')] : [];
    foreach (is_array($problem['errors'] ?? null) ? $problem['errors'] : [] as $one) {
        $said[] = trim(($one['pointer'] ?? '') . ' ' . ($one['detail'] ?? ''));
    }
    $words = substr(wp_strip_all_tags(implode('; ', array_filter($said, 'strlen'))), 0, 500);
    return rtrim("it was answered $status" . ($words === '' ? '' : ": $words"), '.');
}

/** What is wrong with the setup; empty if nothing is. */
function newsletter_push_fault()
{
    foreach (['URL', 'TOKEN', 'NEWSLETTER', 'PILLAR'] as $name) {
        if (newsletter_push_constant("NEWSLETTER_PUSH_$name") === '') {
            return "NEWSLETTER_PUSH_$name is not defined in wp-config.php";
        }
    }
    $url = wp_parse_url(newsletter_push_constant('NEWSLETTER_PUSH_URL'));
    $here = in_array($url['host'] ?? '', ['127.0.0.1', 'localhost', '[::1]'], true);
    if (($url['scheme'] ?? '') !== 'https' && !$here) {
        return 'NEWSLETTER_PUSH_URL must begin with https://, for the token goes there';
    }
    return '';
}

function newsletter_push_constant($name)
{
    return defined($name) ? (string) constant($name) : '';
}

/** Show editors what failed, and on a post's own page what became of it. */
function newsletter_push_notices()
{
    if (!current_user_can('edit_others_posts')) {
        return;
    }
    if ($fault = newsletter_push_fault()) {
        newsletter_push_notice('error', "Newsletter push: $fault.");
    }
    $failed = get_posts([
        'meta_key' => NEWSLETTER_PUSH_ERROR, 'post_status' => 'any', 'numberposts' => 5, 'orderby' => 'modified',
    ]);
    foreach ($failed as $post) {
        $said = get_post_meta($post->ID, NEWSLETTER_PUSH_ERROR, true);
        newsletter_push_notice('error', "Newsletter push of “{$post->post_title}”: $said");
    }
    $post = get_post();
    if ($post && ($ruling = get_post_meta($post->ID, NEWSLETTER_PUSH_RULING, true))) {
        newsletter_push_notice('info', "The newsletter has this post: $ruling");
    }
}

function newsletter_push_notice($kind, $text)
{
    printf('<div class="notice notice-%s"><p>%s</p></div>', esc_attr($kind), esc_html($text));
}
