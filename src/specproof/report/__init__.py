"""Pages for people: one self-contained HTML file for a run, a plan or a check.

=============  =========================================================================
run_page       a run: verdict, settings, claims with their evidence and controls, figures
plan_page      a plan: recommendation, curves, and the table with intervals
check_page     a check: verdict, failing instance, what was expected and what was seen
page           how a template becomes a page, and a page a file
data_table     a data frame as the rows and columns of a page
formula        LaTeX as MathML, which a browser shows without fetching anything
inline_svg     a matplotlib figure as SVG that follows the colours of its page
=============  =========================================================================

The templates say how a page looks and these modules what stands on it. Nothing is computed here that is not computed
elsewhere, and a page needs no network: style and scripts are part of it.
"""
