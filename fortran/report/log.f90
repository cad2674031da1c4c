! SPDX-License-Identifier: MIT
!> The log as its users see it: opening, table, closing.
module fennix_log
   use fennix_log_type, only : level_summary_type, log_type, say
   use fennix_log_opening, only : log_header, log_start
   use fennix_log_table, only : log_begin, log_due, log_line, log_minimize, log_minimize_head, log_sample
   use fennix_log_closing, only : log_averages, log_closing
   implicit none
   private
   public :: log_type, level_summary_type
   public :: say, log_header, log_start, log_begin, log_due, log_sample, log_line
   public :: log_minimize_head, log_minimize, log_averages, log_closing

end module fennix_log
