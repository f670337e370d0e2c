<?php
/* As much of WordPress as the plugin calls, in memory; its requests are real. Runs a JSON list of steps from standard
   input against the plugin that the first argument names, and prints what was left. */
define('ABSPATH', __DIR__);
define('DAY_IN_SECONDS', 86400);
$site = json_decode(stream_get_contents(STDIN), true);
foreach ($site['constants'] as $name => $value) {
    define($name, $value);
}
class WP_Error
{
    public $said;
    public function __construct($said) { $this->said = $said; }
    public function get_error_message() { return $this->said; }
}
class Site
{
    public static $hooks = [], $posts = [], $meta = [], $events = [], $spawned = 0, $waits = [];
}
function add_action($hook, $call, $priority = 10, $arguments = 1) { Site::$hooks[$hook][] = [$call, $arguments]; }
function do_action($hook, ...$given)
{
    foreach (Site::$hooks[$hook] ?? [] as [$call, $arguments]) {
        $call(...array_slice($given, 0, $arguments));
    }
}
function apply_filters($hook, $value) { return $value; }
function get_post($id = null)  // without a number the one whose page is shown
{
    return $id === null ? (end(Site::$posts) ?: null) : Site::$posts[is_object($id) ? $id->ID : $id] ?? null;
}
function get_posts($wanted)
{
    return array_values(array_filter(Site::$posts, function ($post) use ($wanted) {
        return isset(Site::$meta[$post->ID][$wanted['meta_key']]);
    }));
}
function wp_is_post_revision($post) { return $post->post_type === 'revision'; }
function wp_is_post_autosave($post) { return false; }
function get_post_meta($id, $name, $single) { return Site::$meta[$id][$name] ?? ''; }
function update_post_meta($id, $name, $value)
{
    $hook = isset(Site::$meta[$id][$name]) ? 'updated_post_meta' : 'added_post_meta';
    Site::$meta[$id][$name] = is_int($value) ? (string) $value : $value;
    do_action($hook, 1, $id, $name, $value);
}
function delete_post_meta($id, $name) { unset(Site::$meta[$id][$name]); do_action('deleted_post_meta', [1], $id, $name, ''); }
function wp_next_scheduled($hook, $arguments) { return in_array([$hook, $arguments], Site::$events, true) ? 1 : false; }
function wp_schedule_single_event($at, $hook, $arguments)
{
    Site::$events[] = [$hook, $arguments];
    Site::$waits[] = $at - time();
}
function spawn_cron() { Site::$spawned++; }
function get_post_time($form, $gmt, $post) { return gmdate($form, strtotime($post->post_date_gmt . ' UTC')); }
function get_the_category($id) { return Site::$posts[$id]->categories; }
function wp_list_pluck($list, $name) { return array_map(function ($one) use ($name) { return $one[$name]; }, $list); }
function get_permalink($post) { return "https://hub.example.com/?p=$post->ID"; }
function get_bloginfo($what) { return 'Example &amp; Hub'; }
function get_post_thumbnail_id($post) { return $post->thumbnail; }
function wp_get_attachment_image_src($id, $size) { return ['https://hub.example.com/hall.jpg', 1200, 800]; }
function strip_shortcodes($text) { return preg_replace('/\[[^\]]*\]/', '', $text); }
function excerpt_remove_blocks($text) { return preg_replace('/<!--.*?-->|<figure.*?<\/figure>/s', '', $text); }
function wpautop($text) { return strpos($text, '<p') === false ? "<p>$text</p>" : $text; }
function wp_strip_all_tags($text) { return strip_tags($text); }
function wp_json_encode($value, $flags) { return json_encode($value, $flags); }
function wp_parse_url($url) { return parse_url($url); }
function is_wp_error($value) { return $value instanceof WP_Error; }
function current_user_can($what) { return true; }
function esc_html($text) { return htmlspecialchars($text, ENT_QUOTES); }
function esc_attr($text) { return htmlspecialchars($text, ENT_QUOTES); }
function wp_remote_post($url, $asked)
{
    $lines = [];
    foreach ($asked['headers'] as $name => $value) {
        $lines[] = "$name: $value";
    }
    $context = stream_context_create(['http' => [
        'method' => 'POST', 'header' => $lines, 'content' => $asked['body'], 'timeout' => $asked['timeout'],
        'ignore_errors' => true, 'follow_location' => $asked['redirection'],
    ]]);
    $body = @file_get_contents($url, false, $context);
    if ($body === false) {
        return new WP_Error('cURL error 7: connection refused');
    }
    $headers = [];
    foreach ($http_response_header as $line) {
        [$name, $value] = explode(':', $line, 2) + [1 => ''];
        $headers[strtolower($name)] = trim($value);
    }
    return ['status' => (int) explode(' ', $http_response_header[0])[1], 'headers' => $headers, 'body' => $body];
}
function wp_remote_retrieve_response_code($answer) { return $answer['status']; }
function wp_remote_retrieve_body($answer) { return $answer['body']; }
function wp_remote_retrieve_header($answer, $name) { return $answer['headers'][$name] ?? ''; }

require $argv[1];

function step($step)
{
    if (isset($step['save'])) {
        $post = (object) $step['save'];
        $old = Site::$posts[$post->ID]->post_status ?? 'new';
        Site::$posts[$post->ID] = $post;
        do_action('transition_post_status', $post->post_status, $old, $post);
        do_action('wp_after_insert_post', $post->ID, $post, $old !== 'new');
    } elseif (isset($step['meta'])) {
        update_post_meta(...$step['meta']);
    } elseif (isset($step['delete'])) {
        do_action('before_delete_post', $step['delete']);
        unset(Site::$posts[$step['delete']], Site::$meta[$step['delete']]);
    } elseif (isset($step['cron'])) {  // the events that wait now, and not those that they queue
        foreach (array_splice(Site::$events, 0) as [$hook, $arguments]) {
            do_action($hook, ...$arguments);
        }
    } elseif (isset($step['notices'])) {
        do_action('admin_notices');
    }
}
ob_start();
foreach ($site['steps'] as $step) {
    step($step);
}
echo json_encode([
    'printed' => ob_get_clean(), 'meta' => Site::$meta, 'events' => Site::$events,
    'waits' => Site::$waits, 'spawned' => Site::$spawned,
]);
